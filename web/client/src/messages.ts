/**
 * Values to ciphertexts and back, with a data key given. {@link import("./session-client.js").SessionClient} is the safe
 * way to use it; this is for those who bring their own keys, and for the test vectors.
 */
import { fromBase64, toBase64 } from "./base64.js";
import { decodeContent, encodeContent } from "./content.js";
import { MAX_ITEM_SIZE } from "./dynamodb-json.js";
import { DecryptionError, ValidationError } from "./errors.js";
import type { Value } from "./values.js";

/** What binds a ciphertext to its session: authenticated, not secret. */
export type EncryptionContext = Record<string, string>;

/** A data key as KMS wrapped it, and the ARN of the KMS key. */
export interface WrappedDataKey {
  readonly keyArn: string;
  readonly encryptedKey: Uint8Array;
}

/** A data key to encrypt with; `key` is what {@link importDataKey} gives. */
export interface DataKey extends WrappedDataKey {
  readonly key: CryptoKey;
}

/** Returns the data key in a message's header, or rejects with whatever the reader of the message is to be told. */
export type UnwrapDataKey = (wrapped: WrappedDataKey) => Promise<CryptoKey>;

/** Returns the 32 bytes of a data key as a key that no script can read, and overwrites them. */
export async function importDataKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  } finally {
    bytes.fill(0);
  }
}

/** Returns the message (AWS Encryption SDK, format 2, suite 0x0478) that holds `content`. */
export async function encryptMessage(
  content: Uint8Array,
  dataKey: DataKey,
  context: EncryptionContext,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await import("./esdk.js")).encryptMessage(content, dataKey, context);
}

/**
 * Returns the content of a message, all of it or none.
 *
 * @param context exactly what the message must be bound to.
 * @param unwrap is asked for the data key once the header is known to be of this context.
 * @throws DecryptionError it is not sound, not of this context, or not in the form that is written.
 */
export async function decryptMessage(
  message: Uint8Array,
  context: EncryptionContext,
  unwrap: UnwrapDataKey,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await import("./esdk.js")).decryptMessage(message, context, unwrap);
}

/**
 * Returns `value` as it is stored in `encrypted_<name>`: base64 of one message.
 *
 * @throws ValidationError DynamoDB cannot hold the value, or not its ciphertext.
 */
export async function encryptValue(
  name: string,
  value: Value,
  dataKey: DataKey,
  context: EncryptionContext,
): Promise<string> {
  const text = toBase64(await encryptMessage(await encodeContent(name, value), dataKey, context));
  if (text.length > MAX_ITEM_SIZE) throw new ValidationError(name, "larger than 400 KB when encrypted", "too-large");
  return text;
}

/**
 * Returns the value stored in `encrypted_<name>`.
 *
 * @throws DecryptionError as for {@link decryptMessage}, or the content is not of this attribute.
 */
export async function decryptValue(
  name: string,
  stored: string,
  context: EncryptionContext,
  unwrap: UnwrapDataKey,
): Promise<Value> {
  const message = stored.length <= MAX_ITEM_SIZE ? fromBase64(stored) : undefined;
  if (!message) throw new DecryptionError("unknown-form");
  return decodeContent(name, await decryptMessage(message, context, unwrap));
}
