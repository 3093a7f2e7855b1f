import { describe, expect, it, vi } from "vitest";
import {
  type DataKey,
  DecryptionError,
  decryptMessage,
  decryptValue,
  type EncryptionContext,
  encryptMessage,
  encryptValue,
  importDataKey,
} from "../src/index.js";
import { CURRENT_KEY } from "./vectors.js";

const CONTEXT = { userId: "alice", sessionId: "s1", purpose: "session-encryption" };

async function dataKey(): Promise<DataKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return { keyArn: CURRENT_KEY, encryptedKey: new Uint8Array([1, 2, 3]), key: await importDataKey(bytes) };
}

describe("a data key", () => {
  it("cannot be read by a script, and its bytes are gone", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));

    const key = await importDataKey(bytes);

    expect(bytes).toEqual(new Uint8Array(32));
    expect([key.extractable, key.usages]).toEqual([false, ["deriveKey"]]);
    await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();
  });
});

describe("a message", () => {
  it.each([0, 1, 15, 16, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024])(
    "of %i bytes comes back",
    async (size) => {
      const key = await dataKey();
      const content = new Uint8Array(size).map((_, index) => index * 31);

      const message = await encryptMessage(content, key, CONTEXT);

      const read = await decryptMessage(message, CONTEXT, async () => key.key);
      expect(Buffer.compare(read, content)).toBe(0); // toEqual takes a minute for a megabyte.
    },
  );

  it("holds the part of a buffer that it was given, and no other", async () => {
    const key = await dataKey();
    const buffer = new TextEncoder().encode("another user's words|mine|more").buffer;

    const message = await encryptMessage(new Uint8Array(buffer, 21, 4), key, CONTEXT);
    const inside = new Uint8Array([9, 9, ...message, 9]).subarray(2, 2 + message.length);

    expect(new TextDecoder().decode(await decryptMessage(inside, CONTEXT, async () => key.key))).toBe("mine");
  });

  it("is of format 2 and suite 0x0478, and has a key of its own", async () => {
    const key = await dataKey();
    const content = new Uint8Array(64);

    const [one, other] = [await encryptMessage(content, key, CONTEXT), await encryptMessage(content, key, CONTEXT)];

    expect([...one.subarray(0, 3)]).toEqual([2, 0x04, 0x78]);
    expect(one.subarray(3, 35)).not.toEqual(other.subarray(3, 35)); // The salt of its key.
    expect(one.subarray(-80)).not.toEqual(other.subarray(-80));
  });

  it("asks for no key where the context is another, or something follows", async () => {
    const key = await dataKey();
    const message = await encryptMessage(new Uint8Array(9), key, CONTEXT);
    const unwrap = vi.fn(async () => key.key);

    const others: EncryptionContext[] = [
      { ...CONTEXT, sessionId: "s2" },
      { ...CONTEXT, extra: "x" },
      { userId: "alice", sessionId: "s1" },
      {},
    ];
    for (const context of others) {
      await expect(decryptMessage(message, context, unwrap)).rejects.toMatchObject({ code: "context-mismatch" });
    }
    const followed = new Uint8Array([...message, 0]);
    await expect(decryptMessage(followed, CONTEXT, unwrap)).rejects.toMatchObject({ code: "trailing-bytes" });
    expect(unwrap).not.toHaveBeenCalled();
  });

  it("is refused under another data key", async () => {
    const message = await encryptMessage(new Uint8Array(9), await dataKey(), CONTEXT);
    const { key } = await dataKey();

    await expect(decryptMessage(message, CONTEXT, async () => key)).rejects.toMatchObject({ code: "not-authentic" });
  });

  it("tells what the giver of keys says where it gives none", async () => {
    const message = await encryptMessage(new Uint8Array(9), await dataKey(), CONTEXT);

    const none = async () => {
      throw new RangeError("no key today");
    };
    await expect(decryptMessage(message, CONTEXT, none)).rejects.toThrow("no key today");
  });

  it.each([
    "arn:aws:kms:eu-central-1:111122223333:alias/key",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    `${CURRENT_KEY} `,
  ])("under the KMS key %j is refused", async (keyArn) => {
    const key = { ...(await dataKey()), keyArn };
    const message = await encryptMessage(new Uint8Array(9), key, CONTEXT);

    const reading = decryptMessage(message, CONTEXT, async () => key.key);
    await expect(reading).rejects.toMatchObject({ code: "key-not-listed" });
  });
});

describe("a stored value", () => {
  it("is compressed where that is smaller, and only there", async () => {
    const key = await dataKey();
    const [short, long] = await Promise.all([
      encryptValue("history", "x", key, CONTEXT),
      encryptValue("history", "x".repeat(300_000), key, CONTEXT),
    ]);

    expect(atob(short).length).toBeLessThan(500);
    expect(atob(long).length).toBeLessThan(2_000);
    expect(await decryptValue("history", long, CONTEXT, async () => key.key)).toBe("x".repeat(300_000));
  });

  it("is bound to its attribute", async () => {
    const key = await dataKey();
    const stored = await encryptValue("history", "x", key, CONTEXT);

    const reading = decryptValue("configuration", stored, CONTEXT, async () => key.key);

    await expect(reading).rejects.toMatchObject({ code: "wrong-attribute-or-content" });
  });

  it.each(["", "AgR4", "A", "AgR4 ", "AgR4\n", "eyJ4Ijp7fX0=", "A".repeat(409_604)])(
    "as %j… is no message",
    async (stored) => {
      const key = await dataKey();
      const reading = decryptValue("history", stored, CONTEXT, async () => key.key);
      await expect(reading).rejects.toBeInstanceOf(DecryptionError);
      await expect(reading).rejects.toMatchObject({ code: "unknown-form" });
    },
  );
});
