/** Answers of the admin API, made up. */

import type { Status, Sweep } from "../src/api/types";

export function aSweep(fields: Partial<Sweep>): Sweep {
  return {
    id: "20260102T083000-1f2e3d",
    goal: "encrypt",
    state: "done",
    startedBy: "dana",
    startedAt: "2026-01-02T08:30:00Z",
    finishedAt: "2026-01-02T08:40:00Z",
    settingVersion: 3,
    segments: 4,
    segmentsDone: 4,
    scanned: 100,
    estimatedItems: 100,
    counts: {},
    outside: {},
    attributes: {},
    strays: {},
    encodings: {},
    values: { seen: 0, decrypted: 0 },
    underKey: {},
    rate: null,
    olderThan: null,
    deep: false,
    itemsPerSecond: 10,
    rateNow: null,
    limitedBy: null,
    estimatedEnd: null,
    segmentsRunning: 0,
    itemsFailed: 0,
    reason: null,
    minutesWithoutProgress: null,
    ...fields,
  };
}

export function aStatus(fields: Partial<Status>): Status {
  return {
    table: "sessions",
    tableArn: "arn:aws:dynamodb:eu-central-1:111122223333:table/sessions",
    account: "111122223333",
    tableItemCount: 100,
    stream: { arn: null, viewType: "KEYS_ONLY" },
    setting: { enabled: true, part: null, version: 3, changedBy: "dana", changedAt: "2026-01-01T00:00:00Z" },
    sweeps: [],
    failureQueue: { messages: 0, url: "" },
    workQueue: { messages: 0 },
    deferredQueue: { messages: 0 },
    mapping: { state: "Enabled" },
    key: { arn: "current", state: "Enabled", rotationEnabled: true, rotationPeriodInDays: 90, nextRotationDate: null },
    earlierKeys: [],
    tenantKeys: null,
    attributes: ["history"],
    earlierAttributes: [],
    algorithm: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
    encoding: "base64",
    contextAttributes: ["userId", "sessionId"],
    purpose: "session-encryption",
    recovery: { pitr: true, days: 35, earliest: null, latest: null },
    ...fields,
  };
}
