/** The data keys in use: one a session to encrypt with, those of messages that were read, none for long. */
import { toBase64 } from "./base64.js";
import { DecryptionError } from "./errors.js";
import type { DataKey, EncryptionContext, WrappedDataKey } from "./messages.js";

/** A data key to encrypt one session with, and the context that it was issued under. */
export interface SessionKey {
  readonly dataKey: DataKey;
  readonly context: EncryptionContext;
}

/** Where data keys come from: the API. */
export interface KeySource {
  /** Returns a new data key for a session. */
  generate(sessionId: string): Promise<SessionKey>;
  /** Returns the data key in a message of a session. */
  unwrap(sessionId: string, wrapped: WrappedDataKey): Promise<CryptoKey>;
}

/** Messages read with other data keys than the ones in use, whose keys are remembered. */
const MAX_READ = 64;

/**
 * Holds data keys, for a while and for so many messages each.
 *
 * Calls for one key at one time are one request. What is dropped meanwhile is not kept when it arrives.
 */
export class KeyStore {
  readonly #source: KeySource;
  readonly #maxUses: number;
  readonly #written: Held<SessionKey>;
  readonly #read: Held<CryptoKey>;

  /**
   * @param maxAge milliseconds for which a key is held.
   * @param maxUses messages that are encrypted under one key.
   * @param keyArns the KMS keys whose data keys are accepted; undefined: those that the source unwraps.
   */
  constructor(
    source: KeySource,
    maxAge: number,
    maxUses: number,
    readonly keyArns: readonly string[] | undefined,
  ) {
    this.#source = source;
    this.#maxUses = maxUses;
    this.#written = new Held(maxAge, MAX_READ);
    this.#read = new Held(maxAge, MAX_READ);
  }

  /** Returns the session's data key, for `messages` messages. */
  async forEncryption(sessionId: string, messages: number): Promise<SessionKey> {
    const key = await this.#written.take(sessionId, messages, this.#maxUses, () => this.#source.generate(sessionId));
    this.#listed(key.dataKey.keyArn);
    return key;
  }

  /** Returns the data key of a message that was read from the session. */
  async forDecryption(sessionId: string, wrapped: WrappedDataKey): Promise<CryptoKey> {
    this.#listed(wrapped.keyArn);
    const name = nameOf(wrapped);
    const own = await this.#written.peek(sessionId);
    if (own && nameOf(own.dataKey) === name) return own.dataKey.key;
    return this.#read.take(`${name} ${sessionId}`, 0, 0, () => this.#source.unwrap(sessionId, wrapped));
  }

  /** Drops the key that a session is encrypted with, so that the next message gets a new one. */
  renew(sessionId: string): void {
    this.#written.drop(sessionId);
  }

  /** Drops all keys. */
  clear(): void {
    this.#written.clear();
    this.#read.clear();
  }

  #listed(keyArn: string): void {
    if (this.keyArns && !this.keyArns.includes(keyArn)) throw new DecryptionError("key-not-listed");
  }
}

function nameOf({ keyArn, encryptedKey }: WrappedDataKey): string {
  return `${keyArn} ${toBase64(encryptedKey)}`;
}

interface Entry<T> {
  readonly value: Promise<T>;
  readonly madeAt: number;
  readonly timer: ReturnType<typeof setTimeout>;
  uses: number;
}

/** A map that lets go of its values: by age, by uses, by their number. */
class Held<T> {
  readonly #entries = new Map<string, Entry<T>>();

  constructor(
    readonly maxAge: number,
    readonly maxEntries: number,
  ) {}

  /** Returns the value of that name, made anew where it is none, too old, or not good for `uses` more. */
  async take(name: string, uses: number, maxUses: number, make: () => Promise<T>): Promise<T> {
    const held = this.#entries.get(name);
    if (held && !this.#isOld(held) && held.uses + uses <= maxUses) {
      held.uses += uses;
      return held.value;
    }
    this.drop(name);
    for (const [oldest] of this.#entries) {
      if (this.#entries.size < this.maxEntries) break;
      this.drop(oldest);
    }
    const value = make();
    const timer = setTimeout(() => this.drop(name), this.maxAge);
    const entry = { value, madeAt: Date.now(), timer, uses };
    this.#entries.set(name, entry);
    try {
      return await value;
    } catch (error) {
      if (this.#entries.get(name) === entry) this.drop(name);
      throw error;
    }
  }

  /** Returns the value of that name where it is held and was to be had. */
  async peek(name: string): Promise<T | undefined> {
    const held = this.#entries.get(name);
    return held && !this.#isOld(held) ? held.value.catch(() => undefined) : undefined;
  }

  drop(name: string): void {
    clearTimeout(this.#entries.get(name)?.timer);
    this.#entries.delete(name);
  }

  clear(): void {
    for (const name of this.#entries.keys()) this.drop(name);
  }

  /** By the wall clock: a timer stands still while the machine sleeps. A clock that was set back proves nothing. */
  #isOld(entry: Entry<T>): boolean {
    const age = Date.now() - entry.madeAt;
    return age < 0 || age >= this.maxAge;
  }
}
