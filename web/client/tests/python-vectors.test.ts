import { describe, expect, it } from "vitest";
import { READ, toAttribute } from "../src/dynamodb-json.js";
import { DecryptionError, decryptValue } from "../src/index.js";
import { unwrapOf, vectors } from "./vectors.js";

/** Sets have no order; everything else does. */
function unordered(attribute: unknown): unknown {
  return JSON.parse(
    JSON.stringify(attribute, (code, content: unknown) =>
      ["SS", "NS", "BS"].includes(code) && Array.isArray(content) ? [...content].sort() : content,
    ),
  );
}

const accepted = vectors("current").filter(([name]) => !name.startsWith("signed"));

describe("messages made by Python", () => {
  it.each(accepted)("%s: is decrypted to its value", async (_, vector) => {
    const value = await decryptValue(vector.attribute, vector.ciphertext, vector.context, unwrapOf(vector));
    expect(unordered(toAttribute(vector.attribute, value, READ))).toEqual(unordered(vector.value));
  });
  const signed = vectors("current").filter(([name]) => name.startsWith("signed"));
  it.each(signed)("%s: is refused, since its suite signs", async (_, vector) => {
    const reading = decryptValue(vector.attribute, vector.ciphertext, vector.context, unwrapOf(vector));
    await expect(reading).rejects.toMatchObject({ code: "unknown-form" });
  });

  // What the server brings into the current form before it is sent, or must not send: neither is a form known here.
  const isOther = (name: string) => name.startsWith("old-") || name.startsWith("signature");

  it.each(vectors("refused"))("%s: is refused", async (name, vector) => {
    const outcome = isOther(name) ? "unknown-form" : vector.outcome;
    const reading = decryptValue(vector.attribute, vector.ciphertext, vector.context, unwrapOf(vector));
    await expect(reading).rejects.toBeInstanceOf(DecryptionError);
    await expect(reading).rejects.toMatchObject({ code: outcome });
  });
});
