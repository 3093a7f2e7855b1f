/** Reads the project's frozen vectors: tests/vectors/README.md says what is in them. */
import { readFileSync } from "node:fs";
import { fromBase64 } from "../src/base64.js";
import { DecryptionError, type EncryptionContext, importDataKey, type UnwrapDataKey } from "../src/index.js";

export interface Vector {
  attribute: string;
  context: EncryptionContext;
  ciphertext: string;
  dataKey: { keyArn: string; encrypted: string; plaintext: string; context: EncryptionContext };
  value?: unknown;
  outcome?: string;
}

export const CURRENT_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
export const EARLIER_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321";

/** Returns the vectors of a file by name. */
export function vectors(file: string): [string, Vector][] {
  const address = new URL(`../../../tests/vectors/${file}.json`, import.meta.url);
  return Object.entries(JSON.parse(readFileSync(address, "utf8")) as Record<string, Vector>);
}

/** Gives out the vector's data key as the API would: under the current or an earlier KMS key, for what it wraps. */
export function unwrapOf({ dataKey, context }: Vector): UnwrapDataKey {
  return async ({ keyArn, encryptedKey }) => {
    if (![CURRENT_KEY, EARLIER_KEY].includes(keyArn)) throw new DecryptionError("key-not-listed");
    const isRecorded = Buffer.from(encryptedKey).toString("base64") === dataKey.encrypted && keyArn === dataKey.keyArn;
    const isItsContext = JSON.stringify(sorted(context)) === JSON.stringify(sorted(dataKey.context));
    if (!isRecorded || !isItsContext) throw new DecryptionError("not-authentic");
    return importDataKey(bytes(dataKey.plaintext));
  };
}

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  const decoded = fromBase64(text);
  if (!decoded) throw new TypeError("not base64");
  return decoded;
}

function sorted(context: EncryptionContext): [string, string][] {
  return Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
}
