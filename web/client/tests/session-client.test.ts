import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  ClientError,
  type ClientOptions,
  ConflictError,
  DecryptionError,
  DynamoNumber,
  DynamoSet,
  EncryptionOffError,
  NotAuthorizedError,
  SessionClient,
  UnavailableError,
  ValidationError,
} from "../src/index.js";
import { FakeServer, json, problem } from "./fake-server.js";

const HISTORY = [{ type: "human", content: "Which bus goes to the harbour?" }];
const KEYS = "/session/encryption/generate-key";
const UNWRAPPED = "/session/encryption/decrypt-key";

let server: FakeServer;
beforeEach(() => {
  server = new FakeServer();
});

function client(options: Partial<ClientOptions> = {}): SessionClient {
  return new SessionClient({ api: `${server.api}/`, token: () => "token", fetch: server.fetch, ...options });
}

async function refusal(work: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

describe("saving and reading", () => {
  it("sends and stores ciphertexts, and gives the values back", async () => {
    const saved = await client().save("s1", { name: "Harbour", history: HISTORY, configuration: { model: "m" } });

    expect(saved).toMatchObject({ sessionId: "s1", userId: "alice", name: "Harbour", form: "encrypted" });
    expect(saved.history).toEqual(HISTORY);
    expect(saved.attributes).toEqual({ lastUpdated: "write 1" });
    expect(Object.keys(server.stored.get("s1") ?? {})).not.toContain("history");
    expect(server.seen.map(({ body }) => body).join()).not.toContain("harbour?");
    const read = await client().read("s1");
    expect(read).toEqual(saved);
  });

  it("keeps every type, and numbers beyond 2^53 exactly", async () => {
    const configuration = {
      exact: new DynamoNumber("9007199254740993"),
      fine: new DynamoNumber("0.12345678901234567891"),
      least: 1e-130,
      score: 0.1,
      bytes: new Uint8Array([0, 255, 31, 139]),
      tags: new DynamoSet(["b", "a"]),
      counts: new DynamoSet([1, new DynamoNumber("12345678901234567890123456789012345678")]),
      nothing: null,
      yes: true,
      ["__proto__"]: [[], {}, ""],
    };

    const saved = await client().save("s1", { configuration });

    expect(saved.configuration).toEqual(configuration);
    expect(Object.keys(saved.configuration as object)).toContain("__proto__");
  });

  it("reads nothing where there is no such session", async () => {
    expect(await client().read("none")).toBeUndefined();
  });

  it("leaves what the changes leave out", async () => {
    await client().save("s1", { name: "Harbour", history: HISTORY });

    const renamed = await client().save("s1", { name: "Bus" });

    expect(renamed).toMatchObject({ name: "Bus", history: HISTORY });
    expect(server.asked("POST", KEYS)).toHaveLength(1);
  });

  it("lists sessions, and tells of further pages", async () => {
    await client().save("s1", { name: "Harbour" });

    expect(await client().list({ limit: 1 })).toEqual({
      sessions: [{ sessionId: "s1", name: "n", encrypted: true }],
      nextToken: "more",
    });
    expect(await client().list()).toEqual({ sessions: [{ sessionId: "s1", name: "n", encrypted: true }] });
  });

  it("tells the configuration", async () => {
    expect(await client().config()).toEqual({ enabled: true, version: 3, changedBy: "bob", changedAt: null });
  });

  it.each(["", ".", "..", "\ud800"])("refuses the id %j before anything is sent", async (sessionId) => {
    expect(await refusal(client().save(sessionId, { name: "n" }))).toMatchObject({ field: "sessionId" });
    expect(await refusal(client().read(sessionId))).toBeInstanceOf(ValidationError);
    expect(server.seen).toHaveLength(0);
  });

  it("escapes ids in the path", async () => {
    await client().save("a/b?c#ü", { history: HISTORY });

    expect([...server.stored.keys()]).toEqual(["a/b?c#ü"]);
  });

  it("refuses values that DynamoDB cannot hold, with the place and without the value", async () => {
    const saves: [object, string][] = [
      [{ history: [{ score: Number.NaN }] }, "history[0].score"],
      [{ history: [2 ** 53] }, "history[0]"],
      [{ history: [1e300] }, "history[0]"],
      [{ history: ["\udc00"] }, "history[0]"],
      [{ history: [undefined] }, "history[0]"],
      [{ history: [new Date()] }, "history[0]"],
      [{ configuration: { "": 1 } }, "configuration"],
      [{ configuration: { tags: new DynamoSet([]) } }, "configuration.tags"],
      [{ configuration: { tags: new DynamoSet(["a", 1]) } }, "configuration.tags"],
      [{ configuration: { tags: new DynamoSet([1, new DynamoNumber("1.0")]) } }, "configuration.tags"],
      [{ history: ["x".repeat(400 * 1024)] }, "history"],
      [{}, "changes"],
    ];
    for (const [changes, field] of saves) {
      const error = await refusal(client().save("s1", changes));
      expect(error).toBeInstanceOf(ValidationError);
      expect(error).toMatchObject({ field });
    }
    expect(server.stored.size).toBe(0);
  });

  it("refuses what is too large only once it is encrypted", async () => {
    const history = Array.from({ length: 6 }, () => crypto.getRandomValues(new Uint8Array(60_000)));

    expect(await refusal(client().save("s1", { history }))).toMatchObject({ code: "too-large", field: "history" });
  });
});

describe("conditions", () => {
  it("tells the second of two tabs, which loses nothing", async () => {
    const base = await client().save("s1", { history: HISTORY });
    const theirs = await client().save("s1", { history: [...HISTORY, "theirs"] }, { base });

    const error = await refusal(client().save("s1", { history: [...HISTORY, "mine"] }, { base }));

    expect(error).toBeInstanceOf(ConflictError);
    expect((error as ConflictError).current).toEqual(theirs);
    expect(await server.plain("s1", "history")).toEqual([...HISTORY, "theirs"]);
  });

  it("tries again by itself after a re-encryption", async () => {
    const base = await client().save("s1", { history: HISTORY });
    await server.reencrypt("s1");

    const saved = await client().save("s1", { history: ["new"] }, { base });

    expect(saved.history).toEqual(["new"]);
    expect(server.asked("PUT", "/session/s1")).toHaveLength(3);
  });

  it("gives up where the session is re-encrypted without end", async () => {
    const base = await client().save("s1", { history: HISTORY });
    server.before = async ({ method }) => {
      if (method === "PUT") await server.reencrypt("s1");
      return undefined;
    };

    const error = await refusal(client().save("s1", { history: ["new"] }, { base }));

    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ outcomeUnknown: false });
    expect(await server.plain("s1", "history")).toEqual(HISTORY);
  });

  it("creates only where there is nothing", async () => {
    await client().save("s1", { history: HISTORY }, { base: null });

    expect(await refusal(client().save("s1", { history: [] }, { base: null }))).toBeInstanceOf(ConflictError);
  });

  it("tells that a session is gone", async () => {
    const base = await client().save("s1", { history: HISTORY });
    await client().remove("s1");

    expect(await refusal(client().save("s1", { history: [] }, { base }))).toMatchObject({ current: undefined });
  });

  it("takes its own write for done where the answer to it was lost", async () => {
    const base = await client().save("s1", { history: HISTORY });
    server.after = (seen, response) => {
      if (seen.method !== "PUT") return response;
      throw new TypeError("connection reset");
    };
    const lost = await refusal(client().save("s1", { history: ["mine"] }, { base }));
    server.after = (_, response) => response;

    const saved = await client().save("s1", { history: ["mine"] }, { base });

    expect(lost).toMatchObject({ outcomeUnknown: true });
    expect(saved.history).toEqual(["mine"]);
  });

  it("removes what the caller saw, re-encrypted or not, and nothing else", async () => {
    const base = await client().save("s1", { history: HISTORY });
    await server.reencrypt("s1");
    await client().remove("s1", { base });
    await client().remove("s1", { base });
    const other = await client().save("s1", { history: ["new"] });

    expect(await refusal(client().remove("s1", { base }))).toMatchObject({ current: other });
    expect(server.stored.has("s1")).toBe(true);
  });
});

describe("encryption switched off", () => {
  it("sends the values in the clear, numbers exactly, and says so", async () => {
    server.enabled = false;
    const history = [new DynamoNumber("9007199254740993"), 0.1, null, { ["__proto__"]: "x" }];

    const saved = await client().save("s1", { name: "n", history });

    expect(saved).toMatchObject({ form: "plaintext", name: "n" });
    expect(saved.history).toEqual(history);
    expect(server.asked("PUT", "/session/s1")[0]?.body).toBe(
      '{"name":"n","history":[9007199254740993,0.1,null,{"__proto__":"x"}]}',
    );
  });

  it("notices while it holds a key, and encrypts again once it is on", async () => {
    const c = client();
    await c.save("s1", { history: HISTORY });
    server.enabled = false;
    const off = await c.save("s1", { history: ["off"] });
    server.enabled = true;
    const on = await c.save("s1", { history: ["on"] });

    expect([off.form, on.form]).toEqual(["plaintext", "encrypted"]);
    expect(server.asked("PUT", "/session/s1").at(-1)?.body).toContain("encrypted_history");
    expect(server.asked("POST", KEYS)).toHaveLength(2);
  });

  it("does not turn binary and sets into something else", async () => {
    server.enabled = false;

    const error = await refusal(client().save("s1", { history: [new Uint8Array([1])] }));

    expect(error).toBeInstanceOf(EncryptionOffError);
    expect(server.stored.size).toBe(0);
  });
});

describe("data keys", () => {
  it("is one a session, which no script can read", async () => {
    const imported = vi.spyOn(crypto.subtle, "importKey");
    const c = client();

    await c.save("s1", { history: HISTORY, configuration: {} });
    await Promise.all([c.save("s1", { history: ["2"] }), c.save("s1", { history: ["3"] })]);
    await c.save("s2", { history: HISTORY });
    const imports = imported.mock.calls.map(([, , , isExtractable]) => isExtractable);
    imported.mockRestore();

    expect(server.asked("POST", KEYS).map(({ body }) => body)).toEqual(['{"sessionId":"s1"}', '{"sessionId":"s2"}']);
    expect(server.asked("POST", UNWRAPPED)).toHaveLength(0);
    expect(imports.length).toBeGreaterThan(0);
    expect(imports).not.toContain(true);
  });

  it("is one request for saves at one time", async () => {
    const c = client();

    await Promise.all([1, 2, 3].map((n) => c.save("s1", { history: [n] })));

    expect(server.asked("POST", KEYS)).toHaveLength(1);
  });

  it("is renewed by uses", async () => {
    const c = client({ keyMaxUses: 3 });

    for (const n of [1, 2, 3, 4]) await c.save("s1", { history: [n] });

    expect(server.asked("POST", KEYS)).toHaveLength(2);
  });

  it("is renewed by age, by the clock on the wall and when it was set back", async () => {
    const c = client({ keyMaxAge: 60_000 });
    const clock = vi.spyOn(Date, "now").mockReturnValue(1_000_000);
    await c.save("s1", { history: [1] });
    clock.mockReturnValue(1_059_999);
    await c.save("s1", { history: [2] });
    const young = server.asked("POST", KEYS).length;
    clock.mockReturnValue(1_060_000);
    await c.save("s1", { history: [3] });
    const old = server.asked("POST", KEYS).length;
    clock.mockReturnValue(1_000_000);
    await c.save("s1", { history: [4] });
    clock.mockRestore();

    expect([young, old, server.asked("POST", KEYS).length]).toEqual([1, 2, 3]);
  });

  it("go by themselves when their time is over, and on sign-out, used or not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const c = client({ keyMaxAge: 60_000 });
      await c.save("s1", { history: [1] });
      const held = vi.getTimerCount();
      vi.advanceTimersByTime(60_000);
      const over = vi.getTimerCount();
      await c.save("s1", { history: [2] });
      c.signOut();

      expect([held, over, vi.getTimerCount(), server.asked("POST", KEYS).length]).toEqual([1, 0, 0, 2]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are unwrapped once for what was read, and dropped on sign-out", async () => {
    await client().save("s1", { history: HISTORY, configuration: {} });
    await server.reencrypt("s1");
    const c = client();

    await c.read("s1");
    await c.read("s1");
    const before = server.asked("POST", UNWRAPPED).length;
    c.signOut();
    await c.read("s1");

    expect([before, server.asked("POST", UNWRAPPED).length]).toEqual([1, 2]);
  });

  it("that the server takes no more are renewed, once", async () => {
    const c = client();
    await c.save("s1", { history: [1] });
    let refusals = 1;
    server.before = ({ method }) => {
      if (method !== "PUT" || refusals === 0) return undefined;
      refusals -= 1;
      return problem(400, "encrypted_history: not a message of this session.", "encrypted_history");
    };
    await c.save("s1", { history: [2] });
    const renewed = server.asked("POST", KEYS).length;
    refusals = 9;
    const error = await refusal(c.save("s1", { history: [3] }));

    expect([renewed, server.asked("POST", KEYS).length, refusals]).toEqual([2, 3, 7]);
    expect(error).toMatchObject({ field: "encrypted_history", code: "refused" });
    expect(await server.plain("s1", "history")).toEqual([2]);
  });

  it("that arrive after sign-out are not kept", async () => {
    const c = client();
    server.before = ({ path }) => {
      if (path === KEYS) c.signOut();
      return undefined;
    };

    for (const n of [1, 2]) expect(await refusal(c.save("s1", { history: [n] }))).toBeInstanceOf(NotAuthorizedError);

    expect(server.asked("POST", KEYS)).toHaveLength(2);
  });

  it("are asked for again after a failure", async () => {
    const c = client();
    server.before = ({ path }) =>
      path === KEYS ? problem(503, "Try later.", undefined, { "Retry-After": "7" }) : undefined;
    const error = await refusal(c.save("s1", { history: [1] }));
    server.before = () => undefined;
    await c.save("s1", { history: [1] });

    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ retryAfter: 7, outcomeUnknown: false });
  });

  it("under KMS keys that are not listed are refused before they are asked for", async () => {
    await client().save("s1", { history: HISTORY });
    const c = client({ keyArns: [`${server.keyArn}0`] });

    expect(await refusal(c.read("s1"))).toMatchObject({ code: "key-not-listed" });
    expect(await refusal(c.save("s1", { history: [] }))).toBeInstanceOf(DecryptionError);
    expect(server.asked("POST", UNWRAPPED)).toHaveLength(0);
  });

  it.each([
    ["another session", { encryptionContext: { userId: "alice", sessionId: "s2", purpose: "session-encryption" } }],
    ["another purpose", { encryptionContext: { userId: "alice", sessionId: "s1", purpose: "other" } }],
    ["one member more", { encryptionContext: { userId: "a", sessionId: "s1", purpose: "session-encryption", x: "y" } }],
    ["another algorithm", { algorithm: "AES_256_GCM_IV12_TAG16" }],
    ["a short key", { plaintextKey: "AAAA" }],
    ["no ARN", { keyArn: null }],
  ])("for %s are not used", async (_, members) => {
    server.after = async ({ path }, response) =>
      path === KEYS ? json(200, { ...((await response.json()) as object), ...members }) : response;

    expect(await refusal(client().save("s1", { history: HISTORY }))).toMatchObject({ code: "unexpected-answer" });
    expect(server.stored.size).toBe(0);
  });
});

describe("ciphertexts that are not the session's", () => {
  async function tampered(change: (stored: Record<string, unknown>) => void): Promise<ClientError> {
    await client().save("s1", { history: HISTORY, configuration: { model: "secret words" } });
    await client().save("s2", { history: ["secret words"] });
    change(server.stored.get("s1") as Record<string, unknown>);
    const error = await refusal(client().read("s1"));
    expect(JSON.stringify(error) + error.message + String(error.cause)).not.toContain("secret words");
    return error;
  }

  it("are refused where they are another session's", async () => {
    const other = (stored: Record<string, unknown>) => {
      stored.encrypted_history = server.stored.get("s2")?.encrypted_history;
    };
    expect(await tampered(other)).toMatchObject({ code: "context-mismatch" });
    expect(server.asked("POST", UNWRAPPED)).toHaveLength(0);
  });

  it("are refused where they are another attribute's", async () => {
    const swapped = (stored: Record<string, unknown>) => {
      [stored.encrypted_history, stored.encrypted_configuration] = [
        stored.encrypted_configuration,
        stored.encrypted_history,
      ];
    };
    expect(await tampered(swapped)).toMatchObject({ code: "wrong-attribute-or-content" });
  });

  it("give nothing of the session, not even what is sound", async () => {
    const broken = (stored: Record<string, unknown>) => {
      stored.encrypted_configuration = "AgR4";
    };
    expect(await tampered(broken)).toBeInstanceOf(DecryptionError);
  });

  it("are refused where the server does not unwrap their key", async () => {
    await client().save("s1", { history: HISTORY });
    server.before = ({ path }) =>
      path === UNWRAPPED ? problem(400, "encryptedKey: not a key of this session.", "encryptedKey") : undefined;

    expect(await refusal(client().read("s1"))).toMatchObject({ code: "key-refused" });
  });
});

describe("answers", () => {
  it.each([
    [401, NotAuthorizedError],
    [403, NotAuthorizedError],
    [413, ValidationError],
    [429, UnavailableError],
    [500, UnavailableError],
  ])("of %i become a class of their own", async (status, kind) => {
    server.before = () => problem(status, "No.");
    expect(await refusal(client().read("s1"))).toBeInstanceOf(kind);
  });

  it("of the gateway leave a write in doubt, those of a function only where they say so", async () => {
    server.before = () => new Response('{"message":"Service Unavailable"}', { status: 503 });
    const gateway = await refusal(client().save("s1", { name: "n" }));
    server.before = () => problem(503, "Try later.");
    const ours = await refusal(client().save("s1", { name: "n" }));
    server.before = () => json(503, { statusCode: 503, message: "Lost.", outcome: "unknown" });
    const lost = await refusal(client().save("s1", { name: "n" }));

    const doubts = [gateway, ours, lost].map((error) => (error as UnavailableError).outcomeUnknown);
    expect(doubts).toEqual([true, false, true]);
  });

  it.each([
    ["no JSON", "<html>", { ETag: '"x"' }],
    ["no tag", '{"form":"encrypted","session":{"sessionId":"s1","userId":"alice"}}', {}],
    ["another session", '{"form":"encrypted","session":{"sessionId":"s2","userId":"alice"}}', { ETag: '"x"' }],
    ["no user", '{"form":"encrypted","session":{"sessionId":"s1"}}', { ETag: '"x"' }],
    ["another form", '{"form":"other","session":{"sessionId":"s1","userId":"alice"}}', { ETag: '"x"' }],
    [
      "a number that DynamoDB has not",
      '{"form":"encrypted","session":{"sessionId":"s1","userId":"alice","turns":1e400}}',
      { ETag: '"x"' },
    ],
    ["the plain form", '{"sessionId":"s1","userId":"alice"}', { ETag: '"x"' }],
    [
      "both forms",
      '{"form":"encrypted","session":{"sessionId":"s1","userId":"alice","history":[],"encrypted_history":"AgR4"}}',
      { ETag: '"x"' },
    ],
  ])("with %s are not taken for a session", async (_, body, headers) => {
    server.before = () => new Response(body, { headers });
    expect(await refusal(client().read("s1"))).toMatchObject({ code: "unexpected-answer" });
  });

  it("without the route are no missing session", async () => {
    server.before = () => new Response('{"message":"Not Found"}', { status: 404 });
    expect(await refusal(client().read("s1"))).toMatchObject({ code: "no-such-route" });
  });

  it("keep names that are no text, and members of other names", async () => {
    const session = '{"sessionId":"s1","userId":"alice","name":7,"turns":9007199254740993,"encrypted_at":"t"}';
    server.before = () => new Response(`{"form":"encrypted","session":${session}}`, { headers: { ETag: '"x"' } });

    const read = await client().read("s1");

    expect(read?.name).toBeUndefined();
    expect(read?.attributes).toEqual({ name: 7, turns: new DynamoNumber("9007199254740993"), encrypted_at: "t" });
  });
});

describe("aborting", () => {
  it("rejects with the signal's reason, wherever the work stands", async () => {
    await client().save("s1", { history: HISTORY });
    for (const path of [KEYS, "/session/s1?form=encrypted", UNWRAPPED]) {
      const controller = new AbortController();
      server.before = (seen) => {
        if (seen.path === path) controller.abort("gone");
        return undefined;
      };
      const { signal } = controller;
      const work = path === KEYS ? client().save("s2", { history: [] }, { signal }) : client().read("s1", { signal });
      await expect(work).rejects.toBe("gone");
    }
    expect(server.stored.has("s2")).toBe(false);
  });

  it("of one caller leaves the other the key that both wait for", async () => {
    const c = client();
    const controller = new AbortController();
    server.before = ({ path }) => {
      if (path === KEYS) controller.abort("gone");
      return undefined;
    };

    const [one, other] = await Promise.allSettled([
      c.save("s1", { history: [1] }, { signal: controller.signal }),
      c.save("s1", { history: [2] }),
    ]);

    expect([one.status, other.status]).toEqual(["rejected", "fulfilled"]);
    expect(server.asked("POST", KEYS)).toHaveLength(1);
  });
});
