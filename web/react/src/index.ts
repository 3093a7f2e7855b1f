"use client";
/**
 * React hooks for sessions that are encrypted in the browser.
 *
 * {@link EncryptionProvider} above, {@link useSessionEncryption} and {@link useEncryptedSession} below it.
 */
export {
  type EncryptedSession,
  type SessionEncryption,
  useEncryptedSession,
  useSessionClient,
  useSessionEncryption,
} from "./hooks.js";
export { EncryptionProvider, type EncryptionProviderProps } from "./provider.js";
export type { SessionConflict, SessionStatus, SessionUpdate } from "./session-store.js";
