/** Who is signed in, for the hooks below. */
import type { SessionClient } from "@dynamodb-stream-encryptor/client";
import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
} from "react";
import { Scope, type TokenSource } from "./scope.js";

interface Common {
  /** Who is signed in. Another user gets nothing of this one's: no key, no state, no request that is under way. */
  user?: string | undefined;
  children?: ReactNode;
}

/** An API and a token for each request, or a client of the application's own. */
export type EncryptionProviderProps = Common &
  (
    | { api: string; token: TokenSource; client?: undefined }
    | { client: SessionClient; api?: undefined; token?: undefined }
  );

const ScopeContext = createContext<Scope | undefined>(undefined);

/** Gives the hooks below it a client. Its data keys are dropped when it is unmounted, and with another user. */
export function EncryptionProvider({ api, token, client, user, children }: EncryptionProviderProps): ReactElement {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user is another scope
  const scope = useMemo(() => new Scope(api, client), [api, client, user]);
  // Before any effect of a component below, so that each finds the latest token, which may be made at every render.
  useInsertionEffect(() => (token ? scope.actFor(token) : undefined), [scope, token]);
  useEffect(() => () => scope.client.signOut(), [scope]);
  return <ScopeContext.Provider value={scope}>{children}</ScopeContext.Provider>;
}

export function useScope(): Scope {
  const scope = useContext(ScopeContext);
  if (!scope) throw new Error("This hook needs an <EncryptionProvider> above it.");
  return scope;
}
