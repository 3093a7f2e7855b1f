/** What a session's attributes can hold: every type that DynamoDB has. */
import { ValidationError } from "./errors.js";
import { canonicalNumber } from "./numbers.js";

/**
 * A value of a session.
 *
 * A `number` stands for itself where it prints back as the same decimal and its magnitude is at most
 * `Number.MAX_SAFE_INTEGER`; every other number is a {@link DynamoNumber}, both ways. So no number is ever rounded.
 */
export type Value =
  | null
  | boolean
  | string
  | number
  | DynamoNumber
  | Uint8Array
  | DynamoSet
  | Value[]
  | { [name: string]: Value };

/** A number as exact decimal text, up to 38 digits: `new DynamoNumber("9007199254740993")`. */
export class DynamoNumber {
  /** The number in its one spelling: `1`, `1.0` and `1E0` all give `1`. */
  readonly text: string;

  /** @throws ValidationError where DynamoDB could not hold it exactly. */
  constructor(number: string | bigint) {
    const text = canonicalNumber(String(number));
    if (text === undefined) {
      throw new ValidationError("number", "needs at most 38 digits and a magnitude from 1E-130 to 9.99E+125");
    }
    this.text = text;
    Object.freeze(this);
  }

  toString(): string {
    return this.text;
  }
}

/** What a set has members of: one type in one set. */
export type SetMember = string | number | DynamoNumber | Uint8Array;

/** A set of DynamoDB: at least one member, all of one type, none twice. Their order has no meaning. */
export class DynamoSet {
  readonly members: readonly SetMember[];

  constructor(members: Iterable<SetMember>) {
    this.members = Object.freeze([...members]);
    Object.freeze(this);
  }
}

/**
 * Returns the number in `text`: a `number` where that holds it exactly, else a {@link DynamoNumber}.
 *
 * @throws ValidationError where it is no number that DynamoDB can hold.
 */
export function exactNumber(text: string): number | DynamoNumber {
  const exact = new DynamoNumber(text);
  const number = Number(exact.text);
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER && canonicalNumber(String(number)) === exact.text ? number : exact;
}
