/**
 * Encrypts chat sessions before they leave the browser, and decrypts them after they arrive.
 *
 * {@link SessionClient} is the whole of it for an application; `encryptValue` and what it takes are for those who bring
 * their own data keys.
 */
export {
  ClientError,
  ConflictError,
  type DecryptionCode,
  DecryptionError,
  EncryptionOffError,
  NotAuthorizedError,
  UnavailableError,
  ValidationError,
} from "./errors.js";
export {
  type DataKey,
  decryptMessage,
  decryptValue,
  type EncryptionContext,
  encryptMessage,
  encryptValue,
  importDataKey,
  type UnwrapDataKey,
  type WrappedDataKey,
} from "./messages.js";
export type { ListedSession, Session, SessionChanges } from "./session.js";
export { type ClientOptions, type EncryptionConfig, SessionClient } from "./session-client.js";
export { DynamoNumber, DynamoSet, type SetMember, type Value } from "./values.js";
