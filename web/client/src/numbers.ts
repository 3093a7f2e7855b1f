/**
 * DynamoDB's numbers by their text: up to 38 digits, magnitudes from 1E-130 to 9.99…E+125. Nothing here rounds.
 *
 * The spelling is that of `item_crypto.core.codec` (docs/decisions/28-numbers.md): plain digits where an integer has at
 * most 38 of them and a fraction at most 40 characters, else Python's Decimal with an exponent, `1E+125`.
 */

const NUMBER = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
const MAX_DIGITS = 38;
const MAX_PLAIN = 40;
const MAX_EXPONENT = 125;
const MIN_EXPONENT = -130;
const LEAST_PLAIN_EXPONENT = -6; // Below that, Decimal spells with an exponent.

interface Parts {
  negative: boolean;
  /** No zeros at either end; none at all for zero. */
  digits: string;
  /** Of ten, by which the digits are multiplied. */
  exponent: number;
}

/** Returns the one spelling of a number, or undefined where DynamoDB could not hold it exactly. */
export function canonicalNumber(text: string): string | undefined {
  const parts = parse(text);
  if (!parts) return undefined;
  if (parts.digits === "") return "0";
  const magnitude = parts.exponent + parts.digits.length - 1;
  if (parts.digits.length > MAX_DIGITS || magnitude < MIN_EXPONENT || magnitude > MAX_EXPONENT) return undefined;
  const text0 = plain(parts);
  const fits = text0.length <= (text0.includes(".") ? MAX_PLAIN : MAX_DIGITS);
  const spelled = fits || (parts.exponent < 0 && magnitude >= LEAST_PLAIN_EXPONENT) ? text0 : scientific(parts);
  return parts.negative ? `-${spelled}` : spelled;
}

/** Returns the size that DynamoDB counts for a number, in bytes, as `item_crypto.core.codec` measured it. */
export function numberSize(text: string): number {
  const parts = parse(text);
  if (!parts) return text.length;
  const digits = parts.digits.length + Math.abs(parts.exponent % 2);
  return 1 + Math.ceil(digits / 2) + (parts.negative ? 1 : 0);
}

function parse(text: string): Parts | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return { negative: false, digits: "", exponent: 0 };
  const zeros = digits.length - significant.length;
  return { negative: sign === "-", digits: significant, exponent: Number(exponent) - fraction.length + zeros };
}

function plain({ digits, exponent }: Parts): string {
  if (exponent >= 0) return digits + "0".repeat(exponent);
  const padded = digits.padStart(1 - exponent, "0");
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

function scientific({ digits, exponent }: Parts): string {
  const magnitude = exponent + digits.length - 1;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${digits[0]}${fraction}E${magnitude < 0 ? "-" : "+"}${Math.abs(magnitude)}`;
}
