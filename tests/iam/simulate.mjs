// Evaluates requests against policies: a JSON document on standard input, a list of "Allowed" and "…Denied" on output.
//
//   {"requests": [{"principal": ARN, "policies": [DOCUMENT], "resourcePolicy": DOCUMENT or null,
//                  "action": "kms:Decrypt", "resource": ARN, "context": {KEY: VALUE or [VALUE]}}]}
//
// The simulator drops context keys that it has no fixed name for, and kms:EncryptionContext:X is one: whatever the
// request, no statement with a condition on it would ever hold. So it gets another name, in policies and requests
// alike: that of a key with a free ending that the simulator knows. tests/iam/test_matrix.py shows what this mends.

import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const renamed = (document) =>
  JSON.parse(JSON.stringify(document).replaceAll('kms:EncryptionContext:', 'aws:PrincipalTag/encryption-context-'))

async function verdict(request, mend) {
  const { principal, policies, resourcePolicy, action, resource, context } = mend ? renamed(request) : request
  const response = await runSimulation(
    {
      identityPolicies: policies.map((policy, number) => ({ name: `policy-${number}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy ? { resourcePolicy } : {}),
      request: {
        principal,
        action,
        resource: { resource, accountId: principal.split(':')[4] },
        contextVariables: context
      }
    },
    {}
  )
  if (response.resultType === 'error') throw new Error(`${action} on ${resource}: ${JSON.stringify(response.errors)}`)
  return response.overallResult
}

const { requests, mend } = JSON.parse(readFileSync(0, 'utf8'))
const verdicts = []
for (const request of requests) verdicts.push(await verdict(request, mend))
console.log(JSON.stringify(verdicts))
