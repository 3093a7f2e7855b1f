import { describe, expect, it } from "vitest";

import { ago, duration, items, keyParts, milliseconds, percent, rate, shortKey, when } from "../src/format";

describe("numbers", () => {
  it("say all and nothing of exactly all and nothing", () => {
    expect([percent(5, 5), percent(0, 5), percent(99_999, 100_000), percent(1, 100_000), percent(1, 0)]).toEqual([
      "100%",
      "0%",
      ">99.9%",
      "<0.1%",
      "–",
    ]);
  });

  it("are counted in one and many", () => {
    expect([items(1), items(0), items(2, "reply", "replies")]).toEqual(["1 item", "0 items", "2 replies"]);
  });

  it("have units that fit them", () => {
    expect([milliseconds(850), milliseconds(1_230), milliseconds(180_000)]).toEqual(["850 ms", "1.2 s", "3 min"]);
    expect([0.2, 42, 720, 11_100, 187_200].map(duration)).toEqual([
      "less than a second",
      "42 s",
      "12 min",
      "3 h 05 min",
      "2 d 4 h",
    ]);
  });
});

describe("times", () => {
  const now = new Date("2026-01-02T12:00:00Z");
  it.each([
    ["2026-01-02T11:59:57Z", "just now"],
    ["2026-01-02T11:58:00Z", "2 minutes ago"],
    ["2026-01-01T12:00:00Z", "yesterday"],
    ["2026-01-05T12:00:00Z", "in 3 days"],
  ])("of %s are %s", (moment, words) => {
    expect(ago(new Date(moment), now)).toBe(words);
  });
});

describe("a moment in UTC", () => {
  it("says so", () => {
    expect(when.utc(new Date("2026-01-02T12:30:00+02:00"))).toBe("2026-01-02 10:30:00 UTC");
  });
});

describe("keys", () => {
  it("of KMS are shortened, and what is none is left", () => {
    expect(shortKey("arn:aws:kms:eu-central-1:1:key/5d3a7f0e-2b61-4c8e-9a4f-0c1d2e3f4a5b")).toBe("…2e3f4a5b");
    expect(shortKey("unknown (old form)")).toBe("unknown (old form)");
  });

  it("of items are names and values", () => {
    expect(keyParts({ sessionId: { S: "a" }, at: { N: "5" }, raw: { B: "AA==" } })).toEqual([
      ["sessionId", "a"],
      ["at", "5"],
      ["raw", "AA=="],
    ]);
  });
});

it("one item a second is one item", () => {
  expect([1, 1.04, 1.5, 34].map(rate)).toEqual(["1 item/s", "1 item/s", "1.5 items/s", "34 items/s"]);
});
