/**
 * Values to DynamoDB JSON and back, exactly, with DynamoDB's own limits.
 *
 * ```
 * [{type: "human", sent: 1767340800}]  ⇄  {"L": [{"M": {"type": {"S": "human"}, "sent": {"N": "1767340800"}}}]}
 * ```
 */
import { fromBase64, toBase64 } from "./base64.js";
import { ValidationError } from "./errors.js";
import type { Json } from "./json.js";
import { canonicalNumber, numberSize } from "./numbers.js";
import { DynamoNumber, DynamoSet, exactNumber, type SetMember, type Value } from "./values.js";

/** One value in DynamoDB JSON: one type code and its content. */
export type Attribute = { [code: string]: AttributeContent };
type AttributeContent = string | boolean | string[] | Attribute[] | { [name: string]: Attribute };

/** DynamoDB's limit of an item in bytes, which no attribute can exceed (Service quotas, "Items"). */
export const MAX_ITEM_SIZE = 400 * 1024;

/** What a value may be. */
export interface Limits {
  /** Lists and maps within one another. */
  readonly depth: number;
  /** Bytes by DynamoDB's size rules. */
  readonly size: number;
  /** Bytes of a member's name. */
  readonly name: readonly [number, number];
}

/** What DynamoDB takes (docs/decisions/28-numbers.md). */
export const WRITTEN: Limits = { depth: 31, size: MAX_ITEM_SIZE, name: [1, 65_535] };

/** What earlier versions wrote, and readers still take. */
export const READ: Limits = { depth: 32, size: Number.POSITIVE_INFINITY, name: [0, Number.POSITIVE_INFINITY] };

const LONE_SURROGATE = /\p{Surrogate}/u;
const utf8 = new TextEncoder();

/**
 * Returns `value` in DynamoDB JSON, for the attribute `name`.
 *
 * @throws ValidationError DynamoDB cannot hold it; `field` is the place.
 */
export function toAttribute(name: string, value: Value, limits = WRITTEN): Attribute {
  return new Writer(name, limits).attribute(value, name, 0);
}

/**
 * Returns the value in `document`, DynamoDB JSON as {@link parseJson} gives it.
 *
 * @throws TypeError it is no DynamoDB value. The content is not quoted.
 */
export function fromAttribute(document: Json | undefined, depth = 0): Value {
  const [[code, content] = refuse(), ...others] = document instanceof Map ? document : refuse();
  if (others.length > 0) refuse();
  if ((code === "L" || code === "M") && depth === READ.depth) refuse();
  switch (code) {
    case "S":
      return text(content);
    case "N":
      return number(content);
    case "B":
      return binary(content);
    case "BOOL":
      return typeof content === "boolean" ? content : refuse();
    case "NULL":
      return content === true ? null : refuse();
    case "L":
      return list(content).map((member) => fromAttribute(member, depth + 1));
    case "M":
      if (!(content instanceof Map)) refuse();
      return Object.fromEntries([...content].map(([name, member]) => [text(name), fromAttribute(member, depth + 1)]));
    case "SS":
      return set(list(content).map(text));
    case "NS":
      return set(list(content).map(number));
    case "BS":
      return set(list(content).map(binary));
    default:
      return refuse();
  }
}

/** Returns a text that is the same for equal values and for no others, whatever the order in maps and sets. */
export function fingerprint(value: Value): string {
  return JSON.stringify(ordered(toAttribute("value", value, READ)));
}

class Writer {
  #size = 0;

  constructor(
    readonly name: string,
    readonly limits: Limits,
  ) {}

  attribute(value: Value, place: string, depth: number): Attribute {
    if (value === null) return this.#sized({ NULL: true }, 1);
    if (typeof value === "boolean") return this.#sized({ BOOL: value }, 1);
    if (typeof value === "string") return this.#sized({ S: wellFormed(value, place) }, utf8Length(value));
    if (typeof value === "number" || value instanceof DynamoNumber) {
      const spelled = numberText(value, place);
      return this.#sized({ N: spelled }, numberSize(spelled));
    }
    if (value instanceof Uint8Array) return this.#sized({ B: toBase64(value) }, value.length);
    if (value instanceof DynamoSet) return this.#set(value.members, place);
    const { depth: most } = this.limits;
    if (depth === most) throw new ValidationError(place, `nested deeper than ${most} levels`);
    if (Array.isArray(value)) return this.#list(value, place, depth);
    if (isRecord(value)) return this.#map(value, place, depth);
    throw new ValidationError(place, "not a value that DynamoDB can hold");
  }

  #list(members: Value[], place: string, depth: number): Attribute {
    this.#take(3 + members.length);
    const written: Attribute[] = [];
    for (const [index, member] of members.entries()) {
      written.push(this.attribute(member, `${place}[${index}]`, depth + 1));
    }
    return { L: written };
  }

  #map(members: { [name: string]: Value }, place: string, depth: number): Attribute {
    const names = Object.keys(members);
    this.#take(3 + names.length);
    const [least, most] = this.limits.name;
    const written = names.map((name): [string, Attribute] => {
      const size = utf8Length(wellFormed(name, place));
      if (size < least || size > most) {
        throw new ValidationError(place, `the name of a member needs ${least} to ${most} bytes`);
      }
      this.#take(size);
      return [name, this.attribute(members[name] as Value, `${place}.${name}`, depth + 1)];
    });
    return { M: Object.fromEntries(written) };
  }

  #set(members: readonly SetMember[], place: string): Attribute {
    const codes = new Set<string>();
    const texts = members.map((member) => {
      if (typeof member === "string") {
        codes.add("SS");
        this.#take(utf8Length(member));
        return wellFormed(member, place);
      }
      if (member instanceof Uint8Array) {
        codes.add("BS");
        this.#take(member.length);
        return toBase64(member);
      }
      codes.add("NS");
      const spelled = numberText(member, place);
      this.#take(numberSize(spelled));
      return spelled;
    });
    const [code = ""] = codes;
    if (codes.size !== 1) throw new ValidationError(place, "a set needs members, all of one type");
    if (new Set(texts).size !== texts.length) throw new ValidationError(place, "a set has no member twice");
    return { [code]: texts };
  }

  #sized(attribute: Attribute, size: number): Attribute {
    this.#take(size);
    return attribute;
  }

  #take(size: number): void {
    this.#size += size;
    if (this.#size > this.limits.size) throw new ValidationError(this.name, "larger than 400 KB", "too-large");
  }
}

function numberText(number: unknown, place: string): string {
  if (number instanceof DynamoNumber) return number.text;
  if (typeof number === "number" && Number.isFinite(number)) {
    if (Math.abs(number) > Number.MAX_SAFE_INTEGER) {
      throw new ValidationError(place, "a number of this magnitude may be rounded: give a DynamoNumber");
    }
    const spelled = canonicalNumber(String(number));
    if (spelled !== undefined) return spelled;
  }
  throw new ValidationError(place, "a number needs at most 38 digits and a magnitude from 1E-130 to 9.99E+125");
}

function wellFormed(content: string, place: string): string {
  if (LONE_SURROGATE.test(content)) throw new ValidationError(place, "text must be Unicode, without lone surrogates");
  return content;
}

function isRecord(value: unknown): value is { [name: string]: Value } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // Of another frame's realm, too.
}

function utf8Length(content: string): number {
  return utf8.encode(content).length;
}

function text(content: Json): string {
  return typeof content === "string" && !LONE_SURROGATE.test(content) ? content : refuse();
}

function number(content: Json): number | DynamoNumber {
  try {
    return exactNumber(text(content));
  } catch {
    return refuse();
  }
}

function binary(content: Json): Uint8Array {
  return fromBase64(content) ?? refuse();
}

function list(content: Json | undefined): Json[] {
  return Array.isArray(content) ? content : refuse();
}

function set(members: SetMember[]): DynamoSet {
  const texts = members.map((member) => (member instanceof Uint8Array ? toBase64(member) : String(member)));
  return members.length > 0 && new Set(texts).size === texts.length ? new DynamoSet(members) : refuse();
}

function refuse(): never {
  throw new TypeError("not a DynamoDB value");
}

function ordered(attribute: Attribute): unknown {
  const [[code, content] = refuse()] = Object.entries(attribute);
  if (code === "L") return { L: (content as Attribute[]).map(ordered) };
  if (code === "M") {
    const members = Object.entries(content as { [name: string]: Attribute });
    return { M: members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, ordered(member)]) };
  }
  return Array.isArray(content) ? { [code]: [...(content as string[])].sort() } : attribute;
}
