/**
 * Values to plain JSON and back, as the API has them in the clear: `reader/json_values.py`.
 *
 * Numbers are exact both ways. Binary comes as base64 text and a set as an array, which nothing tells apart from text
 * and arrays; so these can be read, but are not sent in the clear.
 */
import { toAttribute } from "./dynamodb-json.js";
import { EncryptionOffError } from "./errors.js";
import { type Json, JsonNumber } from "./json.js";
import { DynamoNumber, DynamoSet, exactNumber, type Value } from "./values.js";

/**
 * Returns the value of a parsed document.
 *
 * @throws ValidationError it has a number that DynamoDB cannot hold.
 */
export function fromJson(document: Json): Value {
  if (document instanceof JsonNumber) return exactNumber(document.text);
  if (Array.isArray(document)) return document.map(fromJson);
  if (document instanceof Map) {
    return Object.fromEntries([...document].map(([name, member]) => [name, fromJson(member)]));
  }
  return document;
}

/**
 * Returns the JSON text of the field `name`.
 *
 * @throws ValidationError DynamoDB cannot hold the value.
 * @throws EncryptionOffError it has binary or a set in it.
 */
export function toJsonText(name: string, value: Value): string {
  toAttribute(name, value); // For its checks.
  return text(value);
}

function text(value: Value): string {
  if (value instanceof DynamoNumber) return value.text;
  if (value instanceof Uint8Array || value instanceof DynamoSet) {
    throw new EncryptionOffError("Binary and sets can be saved only while encryption is switched on.");
  }
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}:${text(member)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}
