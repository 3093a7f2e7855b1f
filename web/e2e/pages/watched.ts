/**
 * The tests' `test`: in every page that a test opens, a violation of a content security policy, a request to a third
 * party, an exception that nobody caught or an error in the console fails the test.
 */
import { type BrowserContext, test as base, expect, type Request } from "@playwright/test";

import { theStack } from "../stack/stack.ts";

/** What Chromium prints for an answer that the page expects: the tests look at what is shown for it. */
const ANSWERED = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** What pages did that they must not, and all that they sent. */
export interface Watch {
  readonly requests: Request[];
  /** The text of each answer: a page that is left takes its answers along. */
  readonly answers: Promise<string>[];
  /** What a test brings about on purpose, in the console's words. */
  readonly expected: RegExp[];
}

export const test = base.extend<{ watch: Watch }>({
  watch: [
    async ({ context }, use) => {
      const wrong: string[] = [];
      const watch: Watch = { requests: [], answers: [], expected: [ANSWERED] };
      await observe(context, watch, wrong);
      await use(watch);
      expect(wrong.filter((what) => !watch.expected.some((pattern) => pattern.test(what)))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/**
 * Fails where a secret went over the network in the clear, in either direction.
 *
 * @param secrets parts of what was saved, none of them in a name or an id.
 */
export async function expectSealed({ requests, answers }: Watch, secrets: string[]): Promise<void> {
  const calls = requests.filter((request) => request.url().startsWith(theStack().api));
  expect(calls.filter((request) => request.method() === "PUT")).not.toEqual([]);
  const seen = await Promise.all(answers);
  expect(seen.join("")).toContain('"encrypted_history"');
  for (const request of calls) {
    seen.push(request.url(), request.postData() ?? "", JSON.stringify(await request.allHeaders()));
  }
  for (const secret of secrets) expect(seen.join("\n")).not.toContain(secret);
}

async function observe(context: BrowserContext, watch: Watch, wrong: string[]): Promise<void> {
  const { api, issuer, chat, application } = theStack();
  const own = new Set([api, issuer, chat, application]);
  await context.exposeBinding("reportViolation", (_, violation: string) => wrong.push(`policy: ${violation}`));
  await context.addInitScript(() => {
    const report = (window as unknown as { reportViolation: (violation: string) => void }).reportViolation;
    document.addEventListener("securitypolicyviolation", (event) => {
      report(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
    });
  });
  context.on("request", (request) => {
    watch.requests.push(request);
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && !own.has(origin)) wrong.push(`third party: ${request.url()}`);
  });
  context.on("response", (response) => {
    // An answer may have no body, or be of a request that was aborted.
    if (response.url().startsWith(api)) watch.answers.push(response.text().catch(() => ""));
  });
  context.on("weberror", (error) => wrong.push(`uncaught: ${error.error()}`));
  context.on("console", (message) => {
    if (message.type() === "error") wrong.push(message.text());
  });
}
