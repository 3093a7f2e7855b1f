/** The hooks: stores of the provider's scope, as React wants to see them. */
import type { Session, SessionClient } from "@dynamodb-stream-encryptor/client";
import { useMemo, useSyncExternalStore } from "react";
import type { ConfigState } from "./config-store.js";
import { useScope } from "./provider.js";
import type { SessionState, SessionUpdate } from "./session-store.js";

export interface SessionEncryption extends ConfigState {
  /** Reads the setting again. */
  reload: () => Promise<void>;
}

export interface EncryptedSession extends SessionState {
  /**
   * Saves a change of the session as it was last seen, and returns it as it then is.
   *
   * Never rejects for what the API or the network does. Returns undefined where nothing was saved: `conflict` or `error`
   * says why.
   */
  save: (update: SessionUpdate) => Promise<Session | undefined>;
  /** Reads the session again. */
  reload: () => Promise<void>;
}

/** Returns whether sessions are encrypted. */
export function useSessionEncryption(): SessionEncryption {
  const { config: store } = useScope();
  const state = useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
  return useMemo(() => ({ ...state, reload: store.reload }), [state, store]);
}

/** Returns a session, and what saves it. `save` and `reload` stay the same functions while the session does. */
export function useEncryptedSession(sessionId: string): EncryptedSession {
  const store = useScope().session(sessionId);
  const state = useSyncExternalStore(store.subscribe, store.snapshot, store.snapshot);
  return useMemo(() => ({ ...state, save: store.save, reload: store.reload }), [state, store]);
}

/** Returns the provider's client, for what has no hook: lists, removal. */
export function useSessionClient(): SessionClient {
  return useScope().client;
}
