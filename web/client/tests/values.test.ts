import { describe, expect, it } from "vitest";
import { fingerprint, fromAttribute, toAttribute } from "../src/dynamodb-json.js";
import { DynamoNumber, DynamoSet, ValidationError, type Value } from "../src/index.js";
import { JsonNumber, parseJson } from "../src/json.js";
import { canonicalNumber, numberSize } from "../src/numbers.js";
import { exactNumber } from "../src/values.js";

describe("a number", () => {
  it.each([
    ["1", "1"],
    ["1.0", "1"],
    ["1E0", "1"],
    ["+1.", "1"],
    [".5", "0.5"],
    ["-0.00", "0"],
    ["1e37", `1${"0".repeat(37)}`],
    ["1e38", "1E+38"],
    ["123e-2", "1.23"],
    ["1e-38", `0.${"0".repeat(37)}1`],
    ["1e-39", "1E-39"],
    ["9.99E+125", "9.99E+125"],
    ["-1e-130", "-1E-130"],
    ["0.012345678901234567890123456789012345678", "0.012345678901234567890123456789012345678"],
  ])("%s is spelled %s", (text, spelled) => {
    expect(canonicalNumber(text)).toBe(spelled);
  });

  it.each([
    "",
    ".",
    "-",
    "1e",
    "NaN",
    "Infinity",
    "0x1",
    "1_0",
    "1e126",
    "1e-131",
    "1".repeat(39),
    "1e1000",
    " 1",
    "１",
  ])("is not %j", (text) => {
    expect(canonicalNumber(text)).toBeUndefined();
    expect(() => new DynamoNumber(text)).toThrow(ValidationError);
  });

  it.each([
    ["9007199254740991", 9007199254740991],
    ["-9007199254740991", -9007199254740991],
    ["0.1", 0.1],
    ["1.50", 1.5],
    ["1E-130", 1e-130],
    ["-0", 0],
  ])("%s is a JavaScript number", (text, number) => {
    expect(exactNumber(text)).toBe(number);
  });

  it.each(["9007199254740992", "9007199254740993", "1E+100", "0.30000000000000000001", "1.00000000000000000001"])(
    "%s is a DynamoNumber, exactly",
    (text) => {
      expect(exactNumber(text)).toEqual(new DynamoNumber(text));
      expect(String(exactNumber(text))).toBe(text);
    },
  );

  it("takes a bigint", () => {
    expect(new DynamoNumber(2n ** 64n).text).toBe("18446744073709551616");
  });

  // By item_crypto.core.codec, which was measured against DynamoDB Local.
  it.each([
    ["0", 1],
    ["1.5", 3],
    ["15", 2],
    ["-15", 3],
    ["100", 2],
    ["1E+125", 2],
  ])("%s takes %i bytes", (text, size) => {
    expect(numberSize(text)).toBe(size);
  });
});

describe("a value", () => {
  it("has at most 31 levels and 400 KB", () => {
    const nested = (levels: number): Value => (levels === 0 ? "x" : [nested(levels - 1)]);
    expect(() => toAttribute("history", nested(31))).not.toThrow();
    expect(() => toAttribute("history", nested(32))).toThrow(/nested deeper than 31/);
    expect(() => toAttribute("history", "x".repeat(400 * 1024))).not.toThrow();
    expect(() => toAttribute("history", "ü".repeat(200 * 1024 + 1))).toThrow(/larger than 400 KB/);
    expect(() =>
      toAttribute(
        "history",
        Array.from({ length: 103_000 }, () => null),
      ),
    ).not.toThrow();
    expect(() =>
      toAttribute(
        "history",
        Array.from({ length: 205_000 }, () => null),
      ),
    ).toThrow(/larger than 400 KB/);
  });

  it("has a fingerprint that knows no order in maps and sets, and tells everything else apart", () => {
    const same: [Value, Value][] = [
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      [new DynamoSet(["a", "b"]), new DynamoSet(["b", "a"])],
      [1, new DynamoNumber("1.0")],
    ];
    const different: Value[] = [
      1,
      "1",
      [1],
      new DynamoSet([1]),
      true,
      null,
      {},
      [],
      "",
      new Uint8Array(),
      { "1": 1 },
      [1, 2],
      [2, 1],
    ];
    for (const [one, other] of same) expect(fingerprint(one)).toBe(fingerprint(other));
    expect(new Set(different.map(fingerprint)).size).toBe(different.length);
  });

  it.each([
    '{"S":1}',
    '{"N":1}',
    '{"BOOL":"true"}',
    '{"NULL":false}',
    '{"X":1}',
    "{}",
    "[]",
    '"S"',
    '{"M":[]}',
    '{"L":{}}',
  ])("is not %s", (document) => {
    expect(() => fromAttribute(parseJson(document))).toThrow(TypeError);
  });
});

describe("JSON", () => {
  it("is parsed as JSON.parse does, but for numbers", () => {
    const document = '{"a":[1,-2.5e+3,true,false,null,"\\u00fc\\n\\\\\\" "],"":{} , "b" : [ ] }';
    const plain = (json: unknown): unknown => {
      if (json instanceof JsonNumber) return Number(json.text);
      if (json instanceof Map) return Object.fromEntries([...json].map(([name, member]) => [name, plain(member)]));
      return Array.isArray(json) ? json.map(plain) : json;
    };
    expect(plain(parseJson(` ${document}\n`))).toEqual(JSON.parse(document));
  });

  it.each([
    "",
    "{",
    "[1,]",
    "[1 2]",
    '{"a":1,}',
    '{"a" 1}',
    "{a:1}",
    '{"a":1,"a":1}',
    "01",
    "1.",
    ".5",
    "+1",
    "NaN",
    "nul",
    '"\u0000"',
    '"\\x"',
    '"\\u12"',
    '"secret',
    '"\\',
    "[] []",
    `${"[".repeat(100)}${"]".repeat(100)}`,
  ])("is not %j, and the error does not quote it", (document) => {
    expect(() => parseJson(document)).toThrow(SyntaxError);
    expect(() => parseJson(document)).toThrow(/^(?:not JSON|nested too deeply)$/);
  });

  it("may hold four million characters in one text", () => {
    expect(parseJson(JSON.stringify('\\"x'.repeat(1_400_000)))).toHaveLength(4_200_000);
  });
});
