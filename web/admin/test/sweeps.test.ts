import { describe, expect, it } from "vitest";

import type { Setting, Status, Sweep } from "../src/api/types";
import { activeSweep, judged, looks } from "../src/sweeps/census";
import { narrows, readKeys, readPercent, stateWords } from "../src/sweeps/part";
import { plan } from "../src/sweeps/plan";
import { progress, segmentProgress } from "../src/sweeps/progress";
import { aStatus, aSweep } from "./made-up";

describe("looks at the table", () => {
  it("are the finished sweeps, oldest first, without those that ended early or saw nothing", () => {
    const found = looks([
      aSweep({ id: "new", finishedAt: "2026-01-03T00:00:00Z" }),
      aSweep({ id: "old", finishedAt: "2026-01-01T00:00:00Z" }),
      aSweep({ id: "cancelled", state: "cancelled" }),
      aSweep({ id: "running", state: "running", finishedAt: null }),
      aSweep({ id: "of nothing", scanned: 0 }),
    ]);
    expect(found.map((look) => look.sweep.id)).toEqual(["old", "new"]);
  });

  it("count every item of a verification in one standing only, conflicts and sweeps' letters beside", () => {
    const counts = { encrypted: 5, plaintext: 2, mixed: 1, oldForm: 3, undecryptable: 1, none: 4, conflicts: 2 };
    const [look] = looks([aSweep({ goal: "verify", counts, scanned: 16 })]);
    expect(look?.standings).toEqual({ encrypted: 5, settled: 4, oldForm: 3, plaintext: 3, open: 1 });
  });

  it("take what a sweep to decrypt decrypted as plaintext", () => {
    const [look] = looks([aSweep({ goal: "decrypt", counts: { decrypted: 7, nothing: 2, failed: 1 } })]);
    expect(look?.standings).toEqual({ encrypted: 0, settled: 2, oldForm: 0, plaintext: 7, open: 1 });
  });
});

describe("a part", () => {
  it.each([
    ["1", 100],
    ["0.25%", 25],
    ["0,5 %", 50],
    ["99.99", 9999],
    ["0", null],
    ["100", null],
    ["1.234", null],
    ["one", null],
  ] as const)("of %s per cent is so many buckets", (text, buckets) => {
    expect(readPercent(text)).toEqual(buckets === null ? null : { buckets });
  });

  it("of keys has one a line, in DynamoDB JSON and nothing else", () => {
    const key = { sessionId: { S: "a" }, userId: { N: "1" } };
    expect(readKeys(`${JSON.stringify(key)}\n\n${JSON.stringify(key)}\n`)).toEqual({ keys: [key, key] });
    for (const text of [
      "",
      "dlg-1",
      "[]",
      "null",
      '{"a": "b"}',
      '{"a": {"BOOL": true}}',
      '{"a": {"S": "b", "N": "1"}}',
    ])
      expect(readKeys(text)).toBeNull();
    expect(readKeys(`${JSON.stringify(key)}\n`.repeat(101))).toBeNull();
  });

  it("narrows what encryption is on for unless it is more of the same buckets", () => {
    const seen = (enabled: boolean, part: Setting["part"] = null) => ({ enabled, part });
    expect(narrows(seen(false), { buckets: 1 })).toBe(false);
    expect(narrows(seen(true), { buckets: 9999 })).toBe(true);
    expect(narrows(seen(true, { buckets: 100, of: 10_000 }), { buckets: 100 })).toBe(false);
    expect(narrows(seen(true, { buckets: 100, of: 10_000 }), { buckets: 99 })).toBe(true);
    expect(narrows(seen(true, { keys: 1 }), { buckets: 9999 })).toBe(true);
    expect(narrows(seen(true, { buckets: 100, of: 10_000 }), { keys: [] })).toBe(true);
  });

  it("is never called all, whatever it is told as", () => {
    const on = { enabled: true } as const;
    expect(stateWords({ ...on, part: null })).toBe("on");
    expect(stateWords({ enabled: false, part: null })).toBe("off");
    expect(stateWords({ ...on, part: { buckets: 1, of: 10_000 } })).toBe("on for 0.01% of the keys");
    expect(stateWords({ ...on, part: { buckets: 1005, of: 10_000 } })).toBe("on for 10.05% of the keys");
    expect(stateWords({ ...on, part: { keys: 2 } })).toBe("on for 2 listed keys");
    expect(stateWords({ ...on, part: {} })).toBe("on for a part");
  });
});

describe("the sweep to follow", () => {
  it("is one that runs before one that is paused, however old", () => {
    const running = aSweep({ id: "r", state: "running", startedAt: "2026-01-01T00:00:00Z" });
    const paused = aSweep({ id: "p", state: "paused", startedAt: "2026-01-02T00:00:00Z" });
    expect(activeSweep([paused, running])?.id).toBe("r");
    expect(activeSweep([paused])?.id).toBe("p");
    expect(activeSweep([aSweep({})])).toBeNull();
  });
});

describe("the judgement of the newest count", () => {
  const on = aStatus({});
  const off = aStatus({ setting: { ...on.setting, enabled: false } });
  const of = (counts: Sweep["counts"], more: Partial<Sweep> = {}) =>
    aSweep({ goal: "verify", counts, settingVersion: on.setting.version, ...more });

  it.each([
    ["nothing counted", null, on, "unknown"],
    ["an empty table", of({}, { scanned: 0 }), on, "unknown"],
    ["all encrypted", of({ encrypted: 10 }), on, "good"],
    ["all encrypted under an older setting", of({ encrypted: 10 }, { settingVersion: 1 }), on, "warn"],
    ["some plaintext", of({ encrypted: 9, plaintext: 1 }), on, "warn"],
    ["no item with an attribute", of({ none: 10 }), on, "warn"],
    ["one that cannot be decrypted", of({ encrypted: 9, undecryptable: 1 }), on, "bad"],
    ["one that could not be looked at", of({ encrypted: 9, failed: 1 }), on, "bad"],
    ["encryption off and all plaintext", of({ plaintext: 10 }), off, "warn"],
    ["encryption off and some encrypted", of({ plaintext: 9, encrypted: 1 }), off, "warn"],
  ] as [string, Sweep | null, Status, string][])("of %s", (_, census, status, tone) => {
    expect(judged(census, status).tone).toBe(tone);
  });

  describe("of a part", () => {
    const part = aStatus({ setting: { ...on.setting, part: { buckets: 100, of: 10_000 } } });
    const good = { outside: { plaintext: 90, none: 1 } };
    it.each([
      ["all of it encrypted", of({ encrypted: 9 }, good), "warn", "The part is encrypted"],
      ["counted under another setting", of({ encrypted: 9 }, { ...good, settingVersion: 1 }), "unknown", "Not counted"],
      ["some plaintext in it", of({ encrypted: 8, plaintext: 1 }, good), "warn", "Work is left"],
      ["some encrypted outside", of({ encrypted: 9 }, { outside: { encrypted: 1 } }), "warn", "Encrypted outside"],
      ["nothing in it", of({}, good), "warn", "Nothing in the part"],
      ["an undecryptable one outside", of({ encrypted: 9 }, { outside: { undecryptable: 1 } }), "bad", "Look closer"],
    ] as [string, Sweep, string, string][])("is never that of the table: %s", (_, census, tone, title) => {
      expect(judged(census, part)).toMatchObject({ tone, title });
    });

    it("counts what was outside as well once encryption is on for all", () => {
      expect(judged(of({ encrypted: 9 }, good), on)).toMatchObject({ title: "Work is left" });
    });
  });

  it("never calls by headers what only a deep verification can know", () => {
    expect(judged(of({ encrypted: 10 }), on).detail).toContain("By the headers");
    expect(judged(of({ encrypted: 10 }, { deep: true }), on).detail).toContain("Every value was decrypted");
  });
});

describe("a plan", () => {
  const census = aSweep({
    goal: "verify",
    scanned: 1000,
    itemsPerSecond: 100,
    counts: { encrypted: 600, plaintext: 300, mixed: 50, oldForm: 50 },
    underKey: { current: 500, earlier: 150 },
  });
  const status = aStatus({ sweeps: [census], tableItemCount: 900, earlierKeys: ["earlier"] });

  it.each([
    ["verify", 0],
    ["encrypt", 400],
    ["decrypt", 700],
    ["re-encrypt", 550],
  ] as const)("to %s writes what the newest count calls for", (goal, writes) => {
    expect(plan(status, goal, null)).toMatchObject({ reads: 1000, writes });
  });

  it("to re-encrypt items of any age writes all that has something to encrypt", () => {
    expect(plan(status, "re-encrypt", null, true).writes).toBe(1000);
  });

  it("takes the time of the newest sweep of its goal, else of any, and no less than the rate allows", () => {
    const encrypt = aSweep({ goal: "encrypt", itemsPerSecond: 20, startedAt: "2025-12-01T00:00:00Z" });
    const both = aStatus({ ...status, sweeps: [census, encrypt] });
    expect(plan(both, "encrypt", null).seconds).toBe(50);
    expect(plan(both, "decrypt", null).seconds).toBe(10);
    expect(plan(both, "encrypt", 10).seconds).toBe(100);
    expect(plan(both, "encrypt", 10).pace?.from).toBe("rate");
    expect(plan(both, "encrypt", 50).pace?.from).toBe("sweep");
  });

  it("claims nothing where nothing is known", () => {
    expect(plan(aStatus({ sweeps: [] }), "encrypt", null)).toMatchObject({ writes: null, seconds: null, pace: null });
  });
});

describe("progress", () => {
  it("is whole only where the sweep is done, however wrong the estimate", () => {
    expect(progress(aSweep({ state: "running", scanned: 500, estimatedItems: 100 }))).toBeLessThan(1);
    expect(progress(aSweep({ state: "done", scanned: 5, estimatedItems: 100 }))).toBe(1);
    expect(segmentProgress(999, false, aSweep({ estimatedItems: 100, segments: 4 }))).toBeLessThan(1);
    expect(segmentProgress(0, true, aSweep({}))).toBe(1);
  });

  it("counts segments that are done where no estimate is known", () => {
    const sweep = aSweep({ state: "running", scanned: 50, estimatedItems: 0, segments: 4, segmentsDone: 1 });
    expect(progress(sweep)).toBe(0.25);
  });
});
