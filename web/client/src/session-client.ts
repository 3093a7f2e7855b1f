/** Sessions, encrypted before they leave this machine and decrypted after they arrive. */
import { Api, type ApiAnswer, NoSuchSession, PreconditionFailed, unexpected } from "./api.js";
import { fromBase64, toBase64 } from "./base64.js";
import { toAttribute } from "./dynamodb-json.js";
import {
  ConflictError,
  DecryptionError,
  EncryptionOffError,
  NotAuthorizedError,
  UnavailableError,
  ValidationError,
} from "./errors.js";
import { type Json, JsonNumber } from "./json.js";
import { KeyStore, type SessionKey } from "./keys.js";
import { decryptValue, type EncryptionContext, encryptValue, importDataKey, type WrappedDataKey } from "./messages.js";
import { fromJson, toJsonText } from "./plain-json.js";
import { holds, type ListedSession, type Session, type SessionChanges, sameContent } from "./session.js";
import type { Value } from "./values.js";

/** Where the API is, who calls, and how long data keys are held. */
export interface ClientOptions {
  /** The API's address, as in the stack's output `ApiUrl`. */
  api: string;
  /** Gives the caller's token for each request. Call {@link SessionClient.signOut} before it is another user's. */
  token: () => string | Promise<string>;
  /** The purpose in the encryption context (`ContextPurpose`). */
  purpose?: string;
  /** ARNs of the KMS keys that messages may be under. Left out: those that the API unwraps data keys of. */
  keyArns?: readonly string[];
  fetch?: typeof fetch;
  /** Milliseconds for which a data key is held; 5 minutes. */
  keyMaxAge?: number;
  /** Messages that are encrypted under one data key; 1000. */
  keyMaxUses?: number;
}

/** Whether sessions are encrypted, and since when. */
export interface EncryptionConfig {
  enabled: boolean;
  version: number;
  changedBy: string | null;
  changedAt: string | null;
}

const ENCRYPTED_ATTRIBUTES = ["history", "configuration"] as const;
const PREFIX = "encrypted_";
const ALGORITHM = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY";
const DATA_KEY_LENGTH = 32;
const ENCRYPTED_FORM = "?form=encrypted";
/** How often a save is tried while the server re-encrypts the session under it. */
const MAX_TRIES = 4;
const DEFAULT_PURPOSE = "session-encryption";
const DEFAULT_MAX_AGE = 5 * 60 * 1000;
const DEFAULT_MAX_USES = 1000;

/**
 * Reads and saves the caller's sessions.
 *
 * Every method rejects with a {@link ClientError}, with the signal's reason where it is aborted, or with what `token`
 * throws. What is under way at sign-out rejects with a {@link NotAuthorizedError}.
 */
export class SessionClient {
  readonly #api: Api;
  readonly #keys: KeyStore;
  readonly #purpose: string;
  /** Aborted when the user signs out: what was begun for one user must not go on with the token of the next. */
  #user = new AbortController();

  constructor(options: ClientOptions) {
    const { purpose = DEFAULT_PURPOSE, keyMaxAge = DEFAULT_MAX_AGE, keyMaxUses = DEFAULT_MAX_USES } = options;
    if (!(keyMaxAge > 0)) throw new ValidationError("keyMaxAge", "must be above zero");
    if (!(keyMaxUses >= ENCRYPTED_ATTRIBUTES.length)) throw new ValidationError("keyMaxUses", "must be 2 at least");
    this.#api = new Api(options);
    this.#purpose = purpose;
    const source = { generate: this.#generate.bind(this), unwrap: this.#unwrap.bind(this) };
    this.#keys = new KeyStore(source, keyMaxAge, keyMaxUses, options.keyArns);
  }

  /** Returns whether sessions are encrypted. */
  config(signal?: AbortSignal): Promise<EncryptionConfig> {
    return this.#call(signal, (call) => this.#config(call));
  }

  async #config(signal: AbortSignal): Promise<EncryptionConfig> {
    const { body } = await this.#api.send({ method: "GET", path: "/session/encryption/config", signal });
    const [enabled, version] = [body.get("enabled"), body.get("version")];
    if (typeof enabled !== "boolean" || !(version instanceof JsonNumber)) throw unexpected();
    return {
      enabled,
      version: Number(version.text),
      changedBy: text(body, "changedBy") ?? null,
      changedAt: text(body, "changedAt") ?? null,
    };
  }

  /** Returns a session, or undefined where the caller has none of that id. */
  read(sessionId: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Session | undefined> {
    return this.#call(signal, (call) => this.#read(sessionId, call));
  }

  async #read(sessionId: string, signal: AbortSignal): Promise<Session | undefined> {
    let answer: ApiAnswer;
    try {
      answer = await this.#api.send({ method: "GET", path: path(sessionId) + ENCRYPTED_FORM, signal });
    } catch (error) {
      if (error instanceof NoSuchSession) return undefined;
      throw error;
    }
    return this.#opened(sessionId, answer, signal);
  }

  /**
   * Creates a session, or replaces the members that `changes` has, and returns the session as it then is.
   *
   * While encryption is switched off the values go in the clear, and `form` of the answer says so.
   *
   * @param base what the caller saw: the save fails if the session holds something else by now. null: there must be no
   *   such session. Left out: the last writer wins, member by member.
   * @throws ConflictError the session is not as in `base`; nothing was written.
   * @throws ValidationError a value cannot be stored; `field` says which.
   * @throws EncryptionOffError encryption is switched off, and binary or a set cannot go in the clear.
   * @throws UnavailableError with `outcomeUnknown` where the write was sent and may have taken effect.
   */
  save(
    sessionId: string,
    changes: SessionChanges,
    { base, signal }: { base?: Session | null | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Session> {
    return this.#call(signal, (call) => this.#save(sessionId, changes, base, call));
  }

  async #save(
    sessionId: string,
    changes: SessionChanges,
    base: Session | null | undefined,
    signal: AbortSignal,
  ): Promise<Session> {
    const target = path(sessionId) + ENCRYPTED_FORM;
    let body = await this.#encrypted(sessionId, changes, signal);
    let seen = base;
    let isFirstKey = true;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      try {
        const answer = await this.#put(target, body, seen, signal);
        return await this.#opened(sessionId, answer, signal);
      } catch (error) {
        if (error instanceof EncryptionOffError && body.isEncrypted) {
          this.#keys.renew(sessionId);
          body = inTheClear(changes);
          continue;
        }
        if (isFirstKey && error instanceof ValidationError && error.field.startsWith(PREFIX)) {
          isFirstKey = false; // The key in use may be for another KMS key, or another user, by now.
          this.#keys.renew(sessionId);
          body = await this.#encrypted(sessionId, changes, signal);
          continue;
        }
        if (!(error instanceof PreconditionFailed)) throw error;
      }
      const current = await this.#read(sessionId, signal);
      if (!current || !base) throw new ConflictError(current);
      if (!sameContent(current, base)) {
        if (holds(current, base, changes)) return current; // An earlier try took effect, and its answer was lost.
        throw new ConflictError(current);
      }
      seen = current; // Only the ciphertext has changed: the server re-encrypted it.
    }
    throw new UnavailableError("The session keeps being written. Nothing was saved.");
  }

  /**
   * Deletes a session; that there is none is no error.
   *
   * @throws ConflictError the session is not as in `base`; it is still there.
   */
  remove(
    sessionId: string,
    { base, signal }: { base?: Session | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    return this.#call(signal, (call) => this.#remove(sessionId, base, call));
  }

  async #remove(sessionId: string, base: Session | undefined, signal: AbortSignal): Promise<void> {
    let seen = base;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      try {
        const headers: Record<string, string> = seen ? { "If-Match": seen.etag } : {};
        await this.#api.send({ method: "DELETE", path: path(sessionId), headers, signal });
        return;
      } catch (error) {
        if (error instanceof NoSuchSession) return;
        if (!(error instanceof PreconditionFailed)) throw error;
      }
      const current = await this.#read(sessionId, signal);
      if (!current) return;
      if (!base || !sameContent(current, base)) throw new ConflictError(current);
      seen = current;
    }
    throw new UnavailableError("The session keeps being written. It was not deleted.");
  }

  /** Returns a page of the caller's sessions, the newest first. */
  list(
    options: { limit?: number | undefined; nextToken?: string | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<{ sessions: ListedSession[]; nextToken?: string }> {
    return this.#call(options.signal, (call) => this.#list(options, call));
  }

  async #list(
    options: { limit?: number | undefined; nextToken?: string | undefined },
    signal: AbortSignal,
  ): Promise<{ sessions: ListedSession[]; nextToken?: string }> {
    const query = new URLSearchParams();
    if (options.limit !== undefined) query.set("limit", String(options.limit));
    if (options.nextToken !== undefined) query.set("nextToken", options.nextToken);
    const { body } = await this.#api.send({ method: "GET", path: `/session?${query}`, signal });
    const [sessions, nextToken] = [body.get("sessions"), text(body, "nextToken")];
    if (!Array.isArray(sessions)) throw unexpected();
    return { sessions: sessions.map(listed), ...(nextToken === undefined ? {} : { nextToken }) };
  }

  /**
   * Drops all data keys and ends what is under way: calls that began before reject with a {@link NotAuthorizedError},
   * whatever `token` gives by then. A write that was sent already may have taken effect.
   */
  signOut(): void {
    this.#keys.clear();
    this.#user.abort(new NotAuthorizedError("The user signed out."));
    this.#user = new AbortController();
  }

  /** Returns what `work` gives, as long as neither `signal` aborts it nor the user signs out. */
  async #call<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const call = new AbortController();
    const ends = [signal, this.#user.signal].filter((end) => end !== undefined);
    const abort = ({ target }: Event) => call.abort((target as AbortSignal).reason);
    for (const end of ends) {
      end.throwIfAborted();
      end.addEventListener("abort", abort);
    }
    try {
      const given = await work(call.signal);
      call.signal.throwIfAborted();
      return given;
    } finally {
      for (const end of ends) end.removeEventListener("abort", abort);
    }
  }

  async #put(target: string, body: Body, seen: Session | null | undefined, signal: AbortSignal | undefined) {
    const headers: Record<string, string> = {};
    if (seen) headers["If-Match"] = seen.etag;
    if (seen === null) headers["If-None-Match"] = "*";
    return this.#api.send({ method: "PUT", path: target, headers, body: body.text, signal });
  }

  async #encrypted(sessionId: string, changes: SessionChanges, signal: AbortSignal | undefined): Promise<Body> {
    const members = given(changes);
    const toEncrypt = members.filter(([name]) => isEncrypted(name));
    if (toEncrypt.length === 0) return inTheClear(changes);
    let key: SessionKey;
    try {
      key = await abortable(this.#keys.forEncryption(sessionId, toEncrypt.length), signal);
    } catch (error) {
      if (error instanceof EncryptionOffError) return inTheClear(changes);
      throw error;
    }
    const document: Record<string, string> = {};
    for (const [name, value] of members) {
      if (isEncrypted(name)) document[PREFIX + name] = await encryptValue(name, value, key.dataKey, key.context);
      else document[name] = value as string;
    }
    signal?.throwIfAborted();
    return { text: JSON.stringify(document), isEncrypted: true };
  }

  /** Returns the session in an answer, all of it or nothing. */
  async #opened(sessionId: string, { body, etag }: ApiAnswer, signal: AbortSignal | undefined): Promise<Session> {
    const [form, stored] = [body.get("form"), body.get("session")];
    if ((form !== "encrypted" && form !== "plaintext") || !(stored instanceof Map) || !etag) throw unexpected();
    const userId = text(stored, "userId");
    if (text(stored, "sessionId") !== sessionId || userId === undefined) throw unexpected();
    const session: Session = { sessionId, userId, etag, form, attributes: {} };
    const context = { userId, sessionId, purpose: this.#purpose };
    for (const name of ENCRYPTED_ATTRIBUTES) {
      const ciphertext = stored.get(PREFIX + name);
      const plain = stored.get(name);
      if (ciphertext !== undefined && plain !== undefined) throw unexpected();
      if (plain !== undefined) {
        session[name] = shown(plain);
        session.form = "plaintext"; // Whatever the answer calls itself: nothing vouches for this value.
      }
      if (ciphertext !== undefined) session[name] = await this.#decrypted(name, ciphertext, context, signal);
    }
    const name = stored.get("name");
    if (typeof name === "string") session.name = name;
    const others = [...stored].filter(
      ([member]) => !isOwnMember(member) && (member !== "name" || name !== session.name),
    );
    session.attributes = Object.fromEntries(others.map(([member, value]) => [member, shown(value)]));
    return session;
  }

  async #decrypted(name: string, stored: Json, context: EncryptionContext, signal: AbortSignal | undefined) {
    if (typeof stored !== "string") throw unexpected();
    const unwrap = (wrapped: WrappedDataKey) =>
      abortable(this.#keys.forDecryption(context.sessionId as string, wrapped), signal);
    const value = await decryptValue(name, stored, context, unwrap);
    signal?.throwIfAborted();
    return value;
  }

  async #generate(sessionId: string): Promise<SessionKey> {
    const body = JSON.stringify({ sessionId });
    const answer = await this.#api.send({ method: "POST", path: "/session/encryption/generate-key", body });
    const plaintextKey = fromBase64(answer.body.get("plaintextKey"));
    const encryptedKey = fromBase64(answer.body.get("encryptedKey"));
    const keyArn = text(answer.body, "keyArn");
    const context = contextOf(answer.body.get("encryptionContext"));
    const isSound =
      text(answer.body, "algorithm") === ALGORITHM &&
      context?.sessionId === sessionId &&
      context.purpose === this.#purpose;
    if (plaintextKey?.length !== DATA_KEY_LENGTH || !encryptedKey?.length || !keyArn || !isSound) throw unexpected();
    return { dataKey: { keyArn, encryptedKey, key: await importDataKey(plaintextKey) }, context };
  }

  async #unwrap(sessionId: string, { encryptedKey }: WrappedDataKey): Promise<CryptoKey> {
    const body = JSON.stringify({ sessionId, encryptedKey: toBase64(encryptedKey) });
    try {
      const answer = await this.#api.send({ method: "POST", path: "/session/encryption/decrypt-key", body });
      const plaintextKey = fromBase64(answer.body.get("plaintextKey"));
      if (plaintextKey?.length !== DATA_KEY_LENGTH) throw unexpected();
      return await importDataKey(plaintextKey);
    } catch (error) {
      // One uniform sentence for whatever is not this user's and this session's.
      if (error instanceof ValidationError) throw new DecryptionError("key-refused");
      throw error;
    }
  }
}

interface Body {
  readonly text: string;
  readonly isEncrypted: boolean;
}

/** Returns the members that `changes` has, checked. */
function given(changes: SessionChanges): [string, Value][] {
  const members: [string, Value][] = [];
  for (const name of ["name", ...ENCRYPTED_ATTRIBUTES] as const) {
    const value = changes[name];
    if (value === undefined) continue;
    toAttribute(name, value);
    members.push([name, value]);
  }
  if (members.length === 0) throw new ValidationError("changes", "needs a name, a history or a configuration");
  return members;
}

function inTheClear(changes: SessionChanges): Body {
  const members = given(changes).map(([name, value]) => `${JSON.stringify(name)}:${toJsonText(name, value)}`);
  return { text: `{${members.join(",")}}`, isEncrypted: false };
}

function path(sessionId: string): string {
  if (sessionId === "" || sessionId === "." || sessionId === "..") {
    throw new ValidationError("sessionId", "must be text that a path can hold");
  }
  try {
    return `/session/${encodeURIComponent(sessionId)}`;
  } catch {
    throw new ValidationError("sessionId", "must be Unicode, without lone surrogates");
  }
}

function contextOf(
  document: Json | undefined,
): (EncryptionContext & { userId: string; sessionId: string; purpose: string }) | undefined {
  if (!(document instanceof Map) || document.size !== 3) return undefined;
  const [userId, sessionId, purpose] = [
    text(document, "userId"),
    text(document, "sessionId"),
    text(document, "purpose"),
  ];
  return userId && sessionId && purpose ? { userId, sessionId, purpose } : undefined;
}

function shown(document: Json): Value {
  try {
    return fromJson(document);
  } catch {
    throw unexpected();
  }
}

function listed(document: Json): ListedSession {
  if (!(document instanceof Map)) throw unexpected();
  const [sessionId, encrypted] = [text(document, "sessionId"), document.get("encrypted")];
  if (sessionId === undefined || typeof encrypted !== "boolean") throw unexpected();
  const session: ListedSession = { sessionId, encrypted };
  for (const name of ["name", "startTime", "createTime", "lastUpdated"] as const) {
    const value = text(document, name);
    if (value !== undefined) session[name] = value;
  }
  return session;
}

function isEncrypted(name: string): boolean {
  return (ENCRYPTED_ATTRIBUTES as readonly string[]).includes(name);
}

function isOwnMember(name: string): boolean {
  return name === "sessionId" || name === "userId" || isEncrypted(name) || isEncrypted(name.replace(PREFIX, ""));
}

function text(document: Map<string, Json>, name: string): string | undefined {
  const value = document.get(name);
  return typeof value === "string" ? value : undefined;
}

/** Returns what `work` gives, but no later than `signal`; the work goes on for those who wait for it too. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
