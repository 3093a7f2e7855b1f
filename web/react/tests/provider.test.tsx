import { NotAuthorizedError, UnavailableError } from "@dynamodb-stream-encryptor/client";
import { act, render, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeServer, problem } from "../../client/tests/fake-server.js";
import {
  type EncryptedSession,
  EncryptionProvider,
  type SessionEncryption,
  useEncryptedSession,
  useSessionClient,
  useSessionEncryption,
} from "../src/index.js";
import { Scope } from "../src/scope.js";
import { clientOf, done, held, openedTab } from "./tab.js";

const KEYS = "/session/encryption/generate-key";
const CONFIG = "/session/encryption/config";
const HISTORY = [{ type: "human", content: "Which bus goes to the harbour?" }];

function Chat({ onRender }: { onRender: (session: EncryptedSession) => void }) {
  onRender(useEncryptedSession("s1"));
  return null;
}

function Badge({ onRender }: { onRender: (encryption: SessionEncryption) => void }) {
  onRender(useSessionEncryption());
  return null;
}

let server: FakeServer;
beforeEach(async () => {
  server = new FakeServer();
  await clientOf(server).save("s1", { history: HISTORY });
  server.seen.length = 0;
  vi.stubGlobal("fetch", server.fetch);
});

describe("EncryptionProvider", () => {
  let shown: EncryptedSession;
  const seen: (string | undefined)[] = [];
  const see = (session: EncryptedSession) => {
    shown = session;
    seen.push(session.data?.userId);
  };
  const app = (user: string, token: () => string) => (
    <StrictMode>
      <EncryptionProvider api={server.api} token={token} user={user}>
        <Chat onRender={see} />
      </EncryptionProvider>
    </StrictMode>
  );

  it("makes requests with the latest token, and none again because it is another function", async () => {
    const { rerender } = render(app("alice", () => "token"));
    await waitFor(() => expect(shown.status).toBe("ready"));
    const before = server.seen.length;
    rerender(app("alice", () => "renewed"));
    expect(server.seen).toHaveLength(before);
    await done(() => shown.reload());
    expect(server.seen.at(-1)?.headers.authorization).toBe("Bearer renewed");
  });

  it("gives another user nothing of the one before", async () => {
    const { rerender } = render(app("alice", () => "token"));
    await waitFor(() => expect(shown.status).toBe("ready"));
    await done(() => shown.save({ history: [] }));
    seen.length = 0;
    const get = held(server, ({ method }) => method === "GET");

    rerender(app("bob", () => "token"));

    expect(shown).toMatchObject({ status: "loading", data: undefined });
    expect(seen.every((userId) => userId === undefined)).toBe(true);
    get.release();
    await waitFor(() => expect(shown.status).toBe("ready"));
    await done(() => shown.save({ history: [] }));
    expect(server.asked("POST", KEYS)).toHaveLength(2);
  });

  it("sends nothing of a user who has gone under the token of the next", async () => {
    const key = held(server, ({ path }) => path === KEYS);
    const { rerender } = render(app("alice", () => "token"));
    await waitFor(() => expect(shown.status).toBe("ready"));
    let saved: Promise<unknown> = Promise.resolve("not yet");
    act(() => {
      saved = shown.save({ history: ["alice's"] });
    });
    await waitFor(() => expect(key.waiting()).toBe(1));
    rerender(app("bob", () => "token"));
    key.release(problem(409, "Encryption is switched off."));
    expect(await done(() => saved)).toBeUndefined();
    expect(server.asked("PUT", "/session/s1")).toEqual([]);
  });

  it("refuses requests once its user has gone, whoever still makes them", async () => {
    const scope = new Scope(server.api);
    const leave = scope.actFor(() => "token");
    expect(await scope.client.read("s1")).toMatchObject({ history: HISTORY });
    leave();
    server.seen.length = 0;
    await expect(scope.client.read("s1")).rejects.toThrow(NotAuthorizedError);
    expect(server.seen).toEqual([]);
  });

  it("drops the keys when it is unmounted", async () => {
    const client = clientOf(server);
    const tab = await openedTab(client);
    await done(() => tab.now().save({ history: [] }));
    await done(() => tab.now().save({ history: [] }));
    expect(server.asked("POST", KEYS)).toHaveLength(1);
    tab.close();
    await client.save("s1", { history: [] });
    expect(server.asked("POST", KEYS)).toHaveLength(2);
  });

  it("gives out its client", () => {
    const client = clientOf(server);
    const { result } = renderHook(() => useSessionClient(), {
      wrapper: ({ children }) => <EncryptionProvider client={client}>{children}</EncryptionProvider>,
    });
    expect(result.current).toBe(client);
  });

  it("is what the hooks ask for where there is none", () => {
    const quiet = (event: Event) => event.preventDefault();
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => undefined);
    window.addEventListener("error", quiet);
    expect(() => renderHook(() => useSessionEncryption())).toThrow("<EncryptionProvider>");
    window.removeEventListener("error", quiet);
    consoleError.mockRestore();
  });
});

describe("useSessionEncryption", () => {
  const shown: SessionEncryption[] = [];
  const see = (encryption: SessionEncryption) => shown.push(encryption);
  const now = () => shown.at(-1) as SessionEncryption;
  const badges = () =>
    render(
      <EncryptionProvider client={clientOf(server)}>
        <Badge onRender={see} />
        <Badge onRender={see} />
      </EncryptionProvider>,
    );
  beforeEach(() => {
    shown.length = 0;
  });

  it("tells the setting, asked for once by all who want to know", async () => {
    badges();
    expect(now()).toMatchObject({ config: undefined, ready: false, error: undefined });
    await waitFor(() => expect(now().ready).toBe(true));
    expect(now().config).toMatchObject({ enabled: true, version: 3, changedBy: "bob" });
    expect(server.asked("GET", CONFIG)).toHaveLength(1);
  });

  it("tells why it is not known, and asks again when it is told to", async () => {
    server.before = () => problem(503, "Later.");
    badges();
    await waitFor(() => expect(now().error).toBeInstanceOf(UnavailableError));
    expect(now().ready).toBe(false);
    server.before = () => undefined;
    await done(() => now().reload());
    expect(now()).toMatchObject({ ready: true, error: undefined });
  });

  it("asks again, and keeps what it knew where that fails", async () => {
    badges();
    await waitFor(() => expect(now().ready).toBe(true));
    server.enabled = false;
    await done(() => now().reload());
    expect(now().config?.enabled).toBe(false);
    server.before = () => problem(401, "No.");
    await done(() => now().reload());
    expect(now()).toMatchObject({ ready: true, config: { enabled: false } });
    expect(now().error).toBeInstanceOf(NotAuthorizedError);
  });

  it("shows no answer that comes after it is unmounted", async () => {
    const get = held(server, () => true);
    const { unmount } = badges();
    await waitFor(() => expect(get.waiting()).toBe(1));
    const renders = shown.length;
    unmount();
    get.release();
    await now().reload();
    expect(shown).toHaveLength(renders);
  });
});
