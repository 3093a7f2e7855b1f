/** Frozen messages of both sides: tests/vectors/README.md. Python reads the browser's in test_browser_vectors.py. */
import { describe, expect, it } from "vitest";
import { toBase64 } from "../src/base64.js";
import { READ, toAttribute } from "../src/dynamodb-json.js";
import { DecryptionError, decryptValue } from "../src/index.js";
import { canonicalNumber } from "../src/numbers.js";
import { bytes, unwrapOf, type Vector, vectors } from "./vectors.js";

/** Sets have no order, and the oldest file has numbers in spellings from before there was one. */
function unordered(attribute: unknown, isOldest: boolean): unknown {
  const spelled = (content: unknown) => (isOldest ? canonicalNumber(String(content)) : content);
  return JSON.parse(
    JSON.stringify(attribute, (code, content: unknown) => {
      if (code === "N" && typeof content === "string") return spelled(content);
      if (!["SS", "NS", "BS"].includes(code) || !Array.isArray(content)) return content;
      return code === "NS" ? content.map(spelled).sort() : [...content].sort();
    }),
  );
}

const read = (vector: Vector) => decryptValue(vector.attribute, vector.ciphertext, vector.context, unwrapOf(vector));

const isSigned = (name: string) => name.startsWith("signed");
// What the server brings into the current form before it is sent, or must not send: neither is a form known here.
const isOther = (name: string) => name.startsWith("old-") || name.startsWith("sign");

const accepted = ["current", "edges", "browser"].flatMap((file) =>
  vectors(file)
    .filter(([name]) => !isSigned(name))
    .map(([name, vector]): [string, Vector] => [`${file}/${name}`, vector]),
);

describe("a frozen message", () => {
  it.each(accepted)("%s is decrypted to its value", async (name, vector) => {
    const isOldest = name.startsWith("current/");
    const value = await read(vector);
    const written = toAttribute(vector.attribute, value, READ);
    expect(unordered(written, isOldest)).toEqual(unordered(vector.value, isOldest));
  });

  it.each(vectors("current").filter(([name]) => isSigned(name)))(
    "%s is refused, since its suite signs",
    async (_, vector) => {
      await expect(read(vector)).rejects.toMatchObject({ code: "unknown-form" });
    },
  );

  it.each([...vectors("refused"), ...vectors("browser-refused")])("%s is refused", async (name, vector) => {
    const outcome = isOther(name) ? "unknown-form" : vector.outcome;
    const error: unknown = await read(vector).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DecryptionError);
    expect(error).toMatchObject({ code: outcome, message: "The session cannot be decrypted." });
    expect((error as Error).cause).toBeUndefined();
  });
});

describe("every change to a message", () => {
  const [, sound] = vectors("browser").find(([name]) => name === "string") as [string, Vector];
  const message = bytes(sound.ciphertext);

  it("of one bit is refused", async () => {
    for (let bit = 0; bit < message.length * 8; bit += 1) {
      const changed = message.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      await expect(read({ ...sound, ciphertext: toBase64(changed) }), `bit ${bit}`).rejects.toBeInstanceOf(
        DecryptionError,
      );
    }
  });

  it("that cuts it short is refused", async () => {
    for (let length = 0; length < message.length; length += 1) {
      const cut = toBase64(message.subarray(0, length));
      await expect(read({ ...sound, ciphertext: cut }), `${length} bytes`).rejects.toBeInstanceOf(DecryptionError);
    }
  });
});
