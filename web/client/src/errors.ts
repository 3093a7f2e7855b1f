/**
 * What can go wrong, as classes; `code` tells apart what a class has more than one of.
 *
 * ```
 * ClientError
 * ├── ValidationError      a value, an id or an option that cannot be used, or that the server refused; `field`
 * ├── NotAuthorizedError   the token is missing, expired, or not for this
 * ├── ConflictError        the session is not what the caller saw; `current`
 * ├── DecryptionError      a ciphertext that is not sound, or not of this session and attribute
 * ├── EncryptionOffError   encryption is switched off, and what was asked for needs it
 * └── UnavailableError     no answer, or none of use; `retryAfter`, `outcomeUnknown`
 * ```
 *
 * No message and no member holds a key, a token or a part of a value, save the names of members that lead to a place in
 * one. An aborted call rejects with the signal's reason.
 */
import type { Session } from "./session.js";

/** The root of all errors of this package. */
export class ClientError extends Error {
  /** What happened, in a word that does not change between versions. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A value, an id or an option that cannot be used; `field` is its place, as in `history[3].score`. */
export class ValidationError extends ClientError {
  readonly field: string;

  constructor(field: string, rule: string, code = "invalid") {
    super(code, `${field}: ${rule}`);
    this.field = field;
  }
}

/** The token is missing, expired, or not for this. */
export class NotAuthorizedError extends ClientError {
  constructor(message = "The token was not accepted.") {
    super("not-authorized", message);
  }
}

/** The session is not what the caller saw; nothing was written. `current` is what it is now; undefined: it is gone. */
export class ConflictError extends ClientError {
  readonly current: Session | undefined;

  constructor(current: Session | undefined) {
    super("conflict", "The session was changed by someone else.");
    this.current = current;
  }
}

/** Why a ciphertext was refused; the words are those of the server's own reader. */
export type DecryptionCode =
  | "unknown-form"
  | "context-mismatch"
  | "key-not-listed"
  | "key-refused"
  | "not-authentic"
  | "trailing-bytes"
  | "wrong-attribute-or-content";

/** A ciphertext is not sound, or not of this session and attribute. Nothing of its content was released. */
export class DecryptionError extends ClientError {
  declare readonly code: DecryptionCode;

  constructor(code: DecryptionCode) {
    super(code, "The session cannot be decrypted.");
  }
}

/** Encryption is switched off, and what was asked for needs it. */
export class EncryptionOffError extends ClientError {
  constructor(message = "Encryption is switched off.") {
    super("encryption-off", message);
  }
}

/** There was no answer, or none of use. */
export class UnavailableError extends ClientError {
  /** Seconds after which to try again, where the server says so. */
  readonly retryAfter: number | undefined;
  /** Whether a write was sent and may have taken effect: look before you try again. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, outcomeUnknown = false, retryAfter?: number) {
    super("unavailable", message);
    this.outcomeUnknown = outcomeUnknown;
    this.retryAfter = retryAfter;
  }
}
