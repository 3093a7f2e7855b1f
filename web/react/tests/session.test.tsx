import { DecryptionError, NotAuthorizedError, type Session, UnavailableError } from "@dynamodb-stream-encryptor/client";
import { act, render, waitFor } from "@testing-library/react";
import * as React from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeServer, problem } from "../../client/tests/fake-server.js";
import { type EncryptedSession, EncryptionProvider, useEncryptedSession } from "../src/index.js";
import { clientOf, done, held, openedTab, openTab } from "./tab.js";

const HISTORY = [{ type: "human", content: "Which bus goes to the harbour?" }];
const ANSWER = { type: "ai", content: "Number 36." };

function Shows({ onRender }: { onRender: (session: EncryptedSession) => void }) {
  onRender(useEncryptedSession("s1"));
  return null;
}

let server: FakeServer;
beforeEach(async () => {
  server = new FakeServer();
  await clientOf(server).save("s1", { name: "Harbour", history: HISTORY });
  server.seen.length = 0;
});

const saysMore = (seen: Session | undefined) => ({ history: [...((seen?.history ?? []) as []), ANSWER] });

it("runs under the React that it is to be tested with", () => {
  expect(React.version.split(".")[0]).toBe(process.env.REACT);
});

describe("reading", () => {
  it("shows that it loads, then the session in the clear", async () => {
    const tab = openTab(clientOf(server));
    expect(tab.now()).toMatchObject({ status: "loading", data: undefined, saving: false, error: undefined });

    await waitFor(() => expect(tab.now().status).toBe("ready"));

    expect(tab.now().data).toMatchObject({ sessionId: "s1", name: "Harbour", history: HISTORY, form: "encrypted" });
  });

  it("tells a session that does not exist yet", async () => {
    const tab = await openedTab(clientOf(server), "new");
    expect(tab.now()).toMatchObject({ status: "absent", data: undefined, error: undefined });
  });

  it("tells what went wrong, and reads again when it is asked to", async () => {
    server.before = () => problem(503, "Later.", undefined, { "Retry-After": "7" });
    const tab = await openedTab(clientOf(server));
    expect(tab.now()).toMatchObject({ status: "error", data: undefined });
    expect(tab.now().error).toBeInstanceOf(UnavailableError);

    server.before = () => undefined;
    await done(() => tab.now().reload());

    expect(tab.now()).toMatchObject({ status: "ready", error: undefined, data: { history: HISTORY } });
  });

  it("keeps what it shows where reading it again fails", async () => {
    const tab = await openedTab(clientOf(server));
    server.before = () => problem(401, "No.");
    await done(() => tab.now().reload());
    expect(tab.now()).toMatchObject({ status: "ready", data: { history: HISTORY } });
    expect(tab.now().error).toBeInstanceOf(NotAuthorizedError);
  });

  it("shows nothing of a session that was tampered with", async () => {
    const stored = server.stored.get("s1");
    const ciphertext = String(stored?.encrypted_history);
    server.stored.set("s1", { ...stored, encrypted_history: `${ciphertext.slice(0, -4)}AAAA` });
    const tab = await openedTab(clientOf(server));
    expect(tab.now()).toMatchObject({ status: "error", data: undefined });
    expect(tab.now().error).toBeInstanceOf(DecryptionError);
  });

  it("passes on as an error whatever the token's source throws", async () => {
    const refused = new Error("Sign in first.");
    const one = await openedTab(clientOf(server, () => Promise.reject(refused)));
    expect(one.now().error).toBe(refused);
    const other = await openedTab(clientOf(server, () => Promise.reject("odd")));
    expect(other.now().error).toBeInstanceOf(Error);
    expect(server.seen).toEqual([]);
  });
});

describe("saving", () => {
  it("sends ciphertexts, on top of what was read", async () => {
    const tab = await openedTab(clientOf(server));
    const etag = tab.now().data?.etag;

    const saved = await done(() => tab.now().save(saysMore));

    expect(saved?.history).toEqual([...HISTORY, ANSWER]);
    expect(tab.now()).toMatchObject({ status: "ready", saving: false, data: saved });
    expect(server.asked("PUT", "/session/s1").map(({ headers }) => headers["if-match"])).toEqual([etag]);
    expect(server.seen.map(({ body }) => body).join()).not.toContain("Number 36");
    expect(await server.plain("s1", "history")).toEqual([...HISTORY, ANSWER]);
  });

  it("creates a session that was absent, and no other", async () => {
    const tab = await openedTab(clientOf(server), "new");
    await done(() => tab.now().save({ history: HISTORY }));
    expect(tab.now()).toMatchObject({ status: "ready", data: { history: HISTORY } });
    expect(server.asked("PUT", "/session/new").map(({ headers }) => headers["if-none-match"])).toEqual(["*"]);
  });

  it("sends values in the clear while encryption is off, and says so", async () => {
    server.enabled = false;
    const tab = await openedTab(clientOf(server), "new");
    await done(() => tab.now().save({ history: HISTORY }));
    expect(tab.now().data?.form).toBe("plaintext");
    expect(server.stored.get("new")?.history).toEqual(HISTORY);
  });

  it("shows the change of a session that was read while it is under way", async () => {
    const tab = await openedTab(clientOf(server));
    const put = held(server, ({ method }) => method === "PUT");
    let saved: Promise<unknown> = Promise.resolve();
    act(() => {
      saved = tab.now().save(saysMore);
    });
    expect(tab.now()).toMatchObject({ saving: true, status: "ready", data: { history: [...HISTORY, ANSWER] } });
    expect(tab.now().data?.name).toBe("Harbour");
    put.release();
    await done(() => saved);
    expect(tab.now().saving).toBe(false);
  });

  it("shows no session that does not exist before it does", async () => {
    const tab = await openedTab(clientOf(server), "new");
    const put = held(server, ({ method }) => method === "PUT");
    let saved: Promise<unknown> = Promise.resolve();
    act(() => {
      saved = tab.now().save({ history: HISTORY });
    });
    expect(tab.now()).toMatchObject({ saving: true, status: "absent", data: undefined });
    put.release();
    await done(() => saved);
    expect(tab.now().status).toBe("ready");
  });

  it("takes the change back where it fails, and goes on from there", async () => {
    const tab = await openedTab(clientOf(server));
    server.before = ({ method }) => (method === "PUT" ? problem(503, "Later.") : undefined);

    expect(await done(() => tab.now().save(saysMore))).toBeUndefined();

    expect(tab.now()).toMatchObject({
      status: "ready",
      saving: false,
      data: { history: HISTORY },
      conflict: undefined,
    });
    expect(tab.now().error).toBeInstanceOf(UnavailableError);

    server.before = () => undefined;
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ error: undefined, data: { history: [...HISTORY, ANSWER] } });
  });

  it("lets saves follow each other, each on top of the one before", async () => {
    const tab = await openedTab(clientOf(server));
    await done(() =>
      Promise.all([tab.now().save(saysMore), tab.now().save({ name: "Bus" }), tab.now().save(saysMore)]),
    );
    expect(tab.now()).toMatchObject({ saving: false, conflict: undefined, data: { name: "Bus" } });
    expect(await server.plain("s1", "history")).toEqual([...HISTORY, ANSWER, ANSWER]);
    expect(server.asked("PUT", "/session/s1")).toHaveLength(3);
  });

  it("writes nothing twice where the answer to a save was lost and it is done again", async () => {
    const tab = await openedTab(clientOf(server));
    server.after = ({ method }, response) =>
      method === "PUT" && response.ok ? new Response("", { status: 502 }) : response;
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ error: { outcomeUnknown: true }, data: { history: HISTORY } });
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ error: undefined, data: { history: [...HISTORY, ANSWER] } });
    expect(await server.plain("s1", "history")).toEqual([...HISTORY, ANSWER]);
  });

  it("tells as a conflict a session that exists already, be it by the caller's own lost save", async () => {
    const tab = await openedTab(clientOf(server), "new");
    server.after = ({ method }, response) =>
      method === "PUT" && response.ok ? new Response("", { status: 502 }) : response;
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ status: "absent", error: { outcomeUnknown: true } });
    await done(() => tab.now().save(saysMore));
    expect(tab.now().conflict?.current?.history).toEqual([ANSWER]);
    await done(async () => tab.now().conflict?.reload());
    expect(tab.now()).toMatchObject({ status: "ready", conflict: undefined, data: { history: [ANSWER] } });
  });

  it("does not send what was made on top of a save that failed", async () => {
    const tab = await openedTab(clientOf(server));
    server.before = ({ method }) => (method === "PUT" ? problem(503, "Later.") : undefined);
    const saved = await done(() => Promise.all([tab.now().save(saysMore), tab.now().save({ name: "Bus" })]));
    expect(saved).toEqual([undefined, undefined]);
    expect(server.asked("PUT", "/session/s1")).toHaveLength(1);
    expect(tab.now()).toMatchObject({ saving: false, data: { name: "Harbour", history: HISTORY } });
  });

  it("refuses to replace what nobody has seen", async () => {
    const get = held(server, ({ method }) => method === "GET");
    const tab = openTab(clientOf(server));
    expect(await done(() => tab.now().save({ history: [] }))).toBeUndefined();
    expect(tab.now()).toMatchObject({ status: "loading", error: { code: "not-read" } });
    get.release();
    await waitFor(() => expect(tab.now()).toMatchObject({ status: "ready", error: undefined }));
    expect(server.asked("PUT", "/session/s1")).toEqual([]);
  });

  it("leaves to the caller what the caller's function throws", async () => {
    const tab = await openedTab(clientOf(server));
    const bug = () => {
      throw new TypeError("a bug");
    };
    await expect(tab.now().save(bug)).rejects.toThrow("a bug");
    expect(tab.now()).toMatchObject({ saving: false, error: undefined });
  });
});

describe("two tabs", () => {
  async function lateTab(
    update: Parameters<ReturnType<typeof openTab>["renders"][0]["save"]>[0] = { history: ["mine"] },
  ) {
    const [first, second] = [await openedTab(clientOf(server)), await openedTab(clientOf(server))];
    await done(() => first.now().save({ history: ["theirs"] }));
    expect(await done(() => second.now().save(update))).toBeUndefined();
    return second;
  }

  it("tells the second one, which shows what it saw; nothing is lost", async () => {
    const tab = await lateTab();
    expect(tab.now()).toMatchObject({ status: "ready", saving: false, error: undefined, data: { history: HISTORY } });
    expect(tab.now().conflict?.current?.history).toEqual(["theirs"]);
    expect(await server.plain("s1", "history")).toEqual(["theirs"]);
  });

  it("may take over what is there", async () => {
    const tab = await lateTab();
    await done(async () => tab.now().conflict?.reload());
    expect(tab.now()).toMatchObject({ conflict: undefined, data: { history: ["theirs"] } });
  });

  it("may write its own over what is there", async () => {
    const tab = await lateTab();
    const saved = await done(async () => tab.now().conflict?.overwrite());
    expect(saved?.history).toEqual(["mine"]);
    expect(tab.now()).toMatchObject({ conflict: undefined, data: { history: ["mine"] } });
    expect(await server.plain("s1", "history")).toEqual(["mine"]);
  });

  it("makes a change anew that was given as a function", async () => {
    const tab = await lateTab(saysMore);
    await done(async () => tab.now().conflict?.overwrite());
    expect(await server.plain("s1", "history")).toEqual(["theirs", ANSWER]);
  });

  it("is told again where the session changed once more", async () => {
    const tab = await lateTab();
    await clientOf(server).save("s1", { history: ["theirs again"] });
    await done(async () => tab.now().conflict?.overwrite());
    expect(tab.now().conflict?.current?.history).toEqual(["theirs again"]);
    expect(await server.plain("s1", "history")).toEqual(["theirs again"]);
  });

  it("keeps the conflict where overwriting fails for another reason", async () => {
    const tab = await lateTab();
    server.before = ({ method }) => (method === "PUT" ? problem(503, "Later.") : undefined);
    await done(async () => tab.now().conflict?.overwrite());
    expect(tab.now().error).toBeInstanceOf(UnavailableError);
    server.before = () => undefined;
    await done(async () => tab.now().conflict?.overwrite());
    expect(tab.now()).toMatchObject({ conflict: undefined, error: undefined, data: { history: ["mine"] } });
  });

  it("is told of a session that was deleted, and may create it again", async () => {
    const tab = await openedTab(clientOf(server));
    server.stored.delete("s1");
    await done(() => tab.now().save({ history: ["mine"] }));
    expect(tab.now().conflict).toMatchObject({ current: undefined });
    await done(async () => tab.now().conflict?.overwrite());
    expect(await server.plain("s1", "history")).toEqual(["mine"]);
  });

  it("overwrites with all saves that were under way, in their order", async () => {
    const tab = await openedTab(clientOf(server));
    await clientOf(server).save("s1", { history: ["theirs"] });
    await done(() => Promise.all([tab.now().save(saysMore), tab.now().save({ name: "Bus" })]));
    const saved = await done(async () => tab.now().conflict?.overwrite());
    expect(saved).toMatchObject({ name: "Bus", history: ["theirs", ANSWER] });
  });

  it("is not troubled by the server's re-encryption", async () => {
    const tab = await openedTab(clientOf(server));
    await server.reencrypt("s1");
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ conflict: undefined, data: { history: [...HISTORY, ANSWER] } });
  });
});

describe("components that come and go", () => {
  /** The signals of requests, in their order. */
  function watched() {
    const signals: (AbortSignal | null | undefined)[] = [];
    const { fetch } = server;
    Object.assign(server, {
      fetch: (input: string, init: RequestInit) => {
        signals.push(init.signal);
        return fetch(input, init);
      },
    });
    return signals;
  }

  it("aborts reading when it is unmounted", async () => {
    const signals = watched();
    const get = held(server, () => true);
    const tab = openTab(clientOf(server));
    await waitFor(() => expect(get.waiting()).toBe(1));
    tab.close();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    get.release();
  });

  it("aborts a save when it is unmounted; the save says that it did not happen", async () => {
    const tab = await openedTab(clientOf(server));
    const signals = watched();
    const client = clientOf(server);
    tab.close();
    const other = await openedTab(client);
    const put = held(server, ({ method }) => method === "PUT");
    let saved: Promise<unknown> = Promise.resolve("not yet");
    act(() => {
      saved = other.now().save(saysMore);
    });
    await waitFor(() => expect(put.waiting()).toBe(1));
    other.close();
    expect(signals.at(-1)?.aborted).toBe(true);
    put.release();
    expect(await saved).toBeUndefined();
    expect(await other.now().save({ name: "Too late" })).toBeUndefined();
  });

  it("never shows one session's answer under another's id", async () => {
    await clientOf(server).save("s2", { name: "Other", history: ["other"] });
    const first = held(server, ({ path }) => path.startsWith("/session/s1"));
    const tab = openTab(clientOf(server));
    await waitFor(() => expect(first.waiting()).toBe(1));
    tab.show("s2");
    first.release();
    await waitFor(() => expect(tab.now().status).toBe("ready"));
    tab.show("s1");
    expect(tab.now()).toMatchObject({ status: "loading", data: undefined });
    await waitFor(() => expect(tab.now().status).toBe("ready"));
    for (const { sessionId, data } of tab.renders) expect(data?.sessionId ?? sessionId).toBe(sessionId);
  });

  it("keeps nothing of a session that no component shows any more", async () => {
    const tab = await openedTab(clientOf(server));
    tab.show("new");
    tab.show("s1");
    expect(tab.now()).toMatchObject({ status: "loading", data: undefined });
    await waitFor(() => expect(tab.now().data).toMatchObject({ history: HISTORY }));
    expect(server.asked("GET", "/session/s1")).toHaveLength(2);
  });

  it("does not save into the session that is shown by then", async () => {
    const tab = await openedTab(clientOf(server));
    const put = held(server, ({ method }) => method === "PUT");
    const { save } = tab.now();
    let saved: Promise<unknown> = Promise.resolve("not yet");
    act(() => {
      saved = save(saysMore);
    });
    tab.show("new");
    put.release();
    expect(await done(() => saved)).toBeUndefined();
    await waitFor(() => expect(tab.now()).toMatchObject({ status: "absent", data: undefined, saving: false }));
    expect(await save({ name: "Of the first" })).toBeUndefined();
    expect(server.stored.has("new")).toBe(false);
  });

  it("works in strict mode: one session, one save", async () => {
    const tab = openTab(clientOf(server), "s1", { strict: true });
    await waitFor(() => expect(tab.now().status).toBe("ready"));
    await done(() => tab.now().save(saysMore));
    expect(tab.now()).toMatchObject({ saving: false, conflict: undefined, data: { history: [...HISTORY, ANSWER] } });
    expect(server.asked("PUT", "/session/s1")).toHaveLength(1);
    expect(await server.plain("s1", "history")).toEqual([...HISTORY, ANSWER]);
  });

  it("shows the same in all components of a provider, read once", async () => {
    const shown: Record<string, EncryptedSession> = {};
    render(
      <EncryptionProvider client={clientOf(server)}>
        <Shows
          onRender={(session) => {
            shown.one = session;
          }}
        />
        <Shows
          onRender={(session) => {
            shown.other = session;
          }}
        />
      </EncryptionProvider>,
    );
    await waitFor(() => expect(shown.other?.status).toBe("ready"));
    await done(async () => shown.one?.save({ name: "Bus" }));
    expect(shown.other?.data?.name).toBe("Bus");
    expect(server.asked("GET", "/session/s1")).toHaveLength(1);
  });

  it("keeps save and reload the same functions", async () => {
    const tab = await openedTab(clientOf(server));
    await done(() => tab.now().save(saysMore));
    expect(new Set(tab.renders.map(({ save }) => save)).size).toBe(1);
    expect(new Set(tab.renders.map(({ reload }) => reload)).size).toBe(1);
  });
});
