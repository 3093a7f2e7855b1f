/**
 * The API as its contract has it, in memory: keys wrapped with real cryptography, ciphertexts checked and stored as they
 * were sent, two representations with a tag each. `fetch` is what a client is given.
 */
import { fromBase64, toBase64 } from "../src/base64.js";
import { decryptValue, type EncryptionContext, encryptValue, importDataKey, type Value } from "../src/index.js";
import { parseJson } from "../src/json.js";
import { fromJson, toJsonText } from "../src/plain-json.js";

type Stored = Record<string, Value>;
export interface Seen {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

const NAMES = ["history", "configuration"] as const;

export class FakeServer {
  readonly api = "https://api.test";
  readonly user = "alice";
  readonly keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  readonly seen: Seen[] = [];
  readonly stored = new Map<string, Stored>();
  enabled = true;
  /** Runs before a request is served: what others do meanwhile, or an answer in its place. */
  before: (seen: Seen) => Promise<Response | undefined> | Response | undefined = () => undefined;
  /** Runs before an answer is sent. */
  after: (seen: Seen, response: Response) => Promise<Response> | Response = (_, response) => response;
  readonly #master = crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  #writes = 0;

  readonly fetch: typeof fetch = async (input, init = {}) => {
    init.signal?.throwIfAborted();
    const url = new URL(String(input));
    const seen: Seen = {
      method: init.method ?? "GET",
      path: url.pathname + url.search,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof init.body === "string" ? init.body : "",
    };
    this.seen.push(seen);
    const response = (await this.before(seen)) ?? (await this.#serve(seen, url));
    const answer = await this.after(seen, response);
    init.signal?.throwIfAborted();
    return answer;
  };

  asked(method: string, path: string): Seen[] {
    return this.seen.filter((seen) => seen.method === method && seen.path.split("?")[0] === path);
  }

  /** Encrypts a session anew, as the migrator does: other ciphertexts, the same content. */
  async reencrypt(sessionId: string): Promise<void> {
    const stored = this.#stored(sessionId);
    const { key, encrypted } = await this.#generate(sessionId);
    const dataKey = { keyArn: this.keyArn, encryptedKey: encrypted, key: await importDataKey(key) };
    for (const name of NAMES) {
      const value = await this.plain(sessionId, name);
      if (value === undefined) continue;
      delete stored[name];
      stored[`encrypted_${name}`] = await encryptValue(name, value, dataKey, this.context(sessionId));
    }
  }

  /** Returns an attribute in the clear. */
  async plain(sessionId: string, name: string): Promise<Value | undefined> {
    const stored = this.#stored(sessionId);
    const ciphertext = stored[`encrypted_${name}`];
    if (ciphertext === undefined) return stored[name];
    return decryptValue(name, String(ciphertext), this.context(sessionId), async ({ keyArn, encryptedKey }) => {
      if (keyArn !== this.keyArn) throw new TypeError("another KMS key");
      return importDataKey(await this.#unwrap(sessionId, encryptedKey));
    });
  }

  context(sessionId: string): EncryptionContext {
    return { userId: this.user, sessionId, purpose: "session-encryption" };
  }

  async #serve(seen: Seen, url: URL): Promise<Response> {
    if (seen.headers.authorization !== "Bearer token") return problem(401, "The request carries no usable identity.");
    const body = seen.body === "" ? {} : (fromJson(parseJson(seen.body)) as Stored);
    switch (`${seen.method} ${url.pathname}`) {
      case "GET /session/encryption/config":
        return json(200, { enabled: this.enabled, version: 3, changedBy: "bob", changedAt: null });
      case "POST /session/encryption/generate-key":
        return this.#generateKey(String(body.sessionId));
      case "POST /session/encryption/decrypt-key":
        return this.#decryptKey(String(body.sessionId), fromBase64(body.encryptedKey));
      case "GET /session":
        return json(200, {
          sessions: [...this.stored.keys()].map((sessionId) => ({ sessionId, name: "n", encrypted: true })),
          nextToken: url.searchParams.get("limit") === "1" ? "more" : null,
        });
    }
    const sessionId = decodeURIComponent(url.pathname.replace("/session/", ""));
    if (seen.method === "PUT") return this.#put(sessionId, seen, body);
    if (!this.stored.has(sessionId)) return problem(404, "There is no such session.");
    if (seen.method === "GET") return this.#shown(200, sessionId);
    if (!(await this.#matches(sessionId, seen))) return problem(412, "The session is not as it was.");
    this.stored.delete(sessionId);
    return new Response(null, { status: 204 });
  }

  async #put(sessionId: string, seen: Seen, body: Stored): Promise<Response> {
    const ciphertexts = NAMES.filter((name) => `encrypted_${name}` in body);
    if (ciphertexts.length > 0 && !this.enabled) return problem(409, "Encryption is switched off.");
    const before = this.stored.get(sessionId);
    if (!(await this.#matches(sessionId, seen))) return problem(412, "The session is not as it was.");
    this.#writes += 1;
    const after: Stored = { sessionId, userId: this.user, ...before, lastUpdated: `write ${this.#writes}` };
    for (const [name, value] of Object.entries(body)) {
      after[name] = value;
      delete after[name.startsWith("encrypted_") ? name.replace("encrypted_", "") : `encrypted_${name}`];
    }
    this.stored.set(sessionId, after);
    try {
      for (const name of ciphertexts) await this.plain(sessionId, name);
    } catch {
      if (before) this.stored.set(sessionId, before);
      else this.stored.delete(sessionId);
      return problem(400, "encrypted_history: not a message of this session.", "encrypted_history");
    }
    if (this.enabled) await this.#encryptPlaintext(sessionId);
    return this.#shown(before ? 200 : 201, sessionId);
  }

  async #encryptPlaintext(sessionId: string): Promise<void> {
    if (NAMES.some((name) => name in this.#stored(sessionId))) await this.reencrypt(sessionId);
  }

  async #matches(sessionId: string, { headers }: Seen): Promise<boolean> {
    const stored = this.stored.get(sessionId);
    if (headers["if-none-match"] === "*" && stored) return false;
    const tag = headers["if-match"];
    return tag === undefined || (stored !== undefined && tag === (await tagOf(stored)));
  }

  async #shown(status: number, sessionId: string): Promise<Response> {
    if (this.enabled) await this.#encryptPlaintext(sessionId);
    const session = this.#stored(sessionId);
    const form = NAMES.some((name) => name in session) ? "plaintext" : "encrypted";
    return json(status, { form, session }, { ETag: await tagOf(session) });
  }

  async #generateKey(sessionId: string): Promise<Response> {
    if (!this.enabled) return problem(409, "Encryption is switched off.");
    const { key, encrypted } = await this.#generate(sessionId);
    return json(200, {
      plaintextKey: toBase64(key),
      encryptedKey: toBase64(encrypted),
      keyArn: this.keyArn,
      algorithm: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
      encryptionContext: this.context(sessionId),
    });
  }

  async #decryptKey(sessionId: string, encrypted: Uint8Array<ArrayBuffer> | undefined): Promise<Response> {
    try {
      if (!encrypted) throw new TypeError("not base64");
      return json(200, { plaintextKey: toBase64(await this.#unwrap(sessionId, encrypted)) });
    } catch {
      return problem(400, "encryptedKey: not a key of this session.", "encryptedKey");
    }
  }

  async #generate(sessionId: string): Promise<{ key: Uint8Array<ArrayBuffer>; encrypted: Uint8Array<ArrayBuffer> }> {
    const key = crypto.getRandomValues(new Uint8Array(32));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const wrapped = await crypto.subtle.encrypt(this.#algorithm(sessionId, iv), await this.#master, key);
    const encrypted = new Uint8Array([...iv, ...new Uint8Array(wrapped)]);
    return { key, encrypted };
  }

  async #unwrap(sessionId: string, encrypted: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const algorithm = this.#algorithm(sessionId, encrypted.slice(0, 12));
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, await this.#master, encrypted.slice(12)));
  }

  #algorithm(sessionId: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams {
    return {
      name: "AES-GCM",
      iv,
      additionalData: new TextEncoder().encode(JSON.stringify(this.context(sessionId))),
    };
  }

  #stored(sessionId: string): Stored {
    const stored = this.stored.get(sessionId);
    if (!stored) throw new TypeError("no such session");
    return stored;
  }
}

export function problem(status: number, message: string, field?: string, headers: HeadersInit = {}): Response {
  return json(status, { statusCode: status, message, ...(field ? { field } : {}) }, headers);
}

export function json(status: number, body: Value, headers: HeadersInit = {}): Response {
  return new Response(toJsonText("body", body), { status, headers });
}

async function tagOf(stored: Stored): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(stored)));
  return `"${toBase64(new Uint8Array(digest))}"`;
}
