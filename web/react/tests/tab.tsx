/** A tab of a browser: a provider with a client of its own, on the client's server in memory, and a component in it. */
import { SessionClient } from "@dynamodb-stream-encryptor/client";
import { act, renderHook, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { expect } from "vitest";
import type { FakeServer, Seen } from "../../client/tests/fake-server.js";
import { type EncryptedSession, EncryptionProvider, useEncryptedSession } from "../src/index.js";

/** What was shown in one render. */
export interface Shown extends EncryptedSession {
  sessionId: string;
}

export interface Tab {
  /** What is shown now. */
  now(): EncryptedSession;
  /** All renders, the first to the last. */
  readonly renders: Shown[];
  show(sessionId: string): void;
  close(): void;
}

export function clientOf(server: FakeServer, token: () => string | Promise<string> = () => "token"): SessionClient {
  return new SessionClient({ api: server.api, token, fetch: server.fetch });
}

/** Opens a tab that shows a session. */
export function openTab(client: SessionClient, sessionId = "s1", { strict = false } = {}): Tab {
  const renders: Shown[] = [];
  const inProvider = ({ children }: { children: ReactNode }) => (
    <EncryptionProvider client={client}>{children}</EncryptionProvider>
  );
  const inStrictMode = (props: { children: ReactNode }) => <StrictMode>{inProvider(props)}</StrictMode>;
  const { result, rerender, unmount } = renderHook(
    (shown: { sessionId: string }) => {
      const session = useEncryptedSession(shown.sessionId);
      renders.push({ sessionId: shown.sessionId, ...session });
      return session;
    },
    { initialProps: { sessionId }, wrapper: strict ? inStrictMode : inProvider },
  );
  return {
    now: () => result.current,
    renders,
    show: (other) => rerender({ sessionId: other }),
    close: unmount,
  };
}

/** Opens a tab and waits until it has read the session. */
export async function openedTab(client: SessionClient, sessionId = "s1"): Promise<Tab> {
  const tab = openTab(client, sessionId);
  await waitFor(() => expect(tab.now().status).not.toBe("loading"));
  return tab;
}

/** Does something and waits for what comes of it. */
export async function done<T>(work: () => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  await act(async () => {
    result = { value: await work() };
  });
  return (result as { value: T }).value;
}

/** Holds requests up; `release` lets them go on, with another answer if one is given. */
export function held(server: FakeServer, which: (seen: Seen) => boolean) {
  const gates: (() => void)[] = [];
  let open = false;
  let answer: Response | undefined;
  server.before = async (seen) => {
    if (open || !which(seen)) return undefined;
    await new Promise<void>((resolve) => gates.push(resolve));
    return answer;
  };
  return {
    waiting: () => gates.length,
    release: (other?: Response) => {
      open = true;
      answer = other;
      for (const gate of gates) gate();
    },
  };
}
