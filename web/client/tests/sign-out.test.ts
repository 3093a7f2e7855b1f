/** What a user leaves behind: nothing that was begun for them goes on in the name of whoever signs in next. */
import { beforeEach, describe, expect, it } from "vitest";
import { ConflictError, NotAuthorizedError, type Session, SessionClient } from "../src/index.js";
import { FakeServer, problem } from "./fake-server.js";

const SECRET = [{ type: "human", content: "What alice asked." }];
const KEYS = "/session/encryption/generate-key";
const UNWRAPPED = "/session/encryption/decrypt-key";

/** A server that shows each user their own sessions, of which there is one server a user. */
let servers: Record<string, FakeServer>;
let user: string;
let client: SessionClient;

beforeEach(() => {
  servers = { alice: new FakeServer(), bob: new FakeServer() };
  user = "alice";
  client = new SessionClient({
    api: "https://api.test",
    token: () => user,
    fetch: (input, init = {}) => {
      const headers = new Headers(init.headers);
      const server = servers[headers.get("Authorization")?.replace("Bearer ", "") ?? ""];
      headers.set("Authorization", "Bearer token");
      if (!server) throw new TypeError("nobody's token");
      return server.fetch(input, { ...init, headers });
    },
  });
});

/** Alice leaves and Bob comes, before the answer to the first request that `asks` knows. */
function changeOfUsers(asks: (method: string, path: string) => boolean, answer?: () => Response): void {
  const server = servers.alice as FakeServer;
  server.before = ({ method, path }) => {
    if (user !== "alice" || !asks(method, path)) return undefined;
    client.signOut();
    user = "bob";
    return answer?.();
  };
}

describe("a save that is under way at sign-out", () => {
  it.each([
    ["waits for its data key", (_: string, path: string) => path === KEYS, undefined],
    [
      "is told that its key is not taken",
      (method: string) => method === "PUT",
      () => problem(400, "encrypted_history: not under this key.", "encrypted_history"),
    ],
    [
      "is told that encryption is off",
      (method: string) => method === "PUT",
      () => problem(409, "Encryption is switched off."),
    ],
    [
      "asks for its key while encryption is off",
      (_: string, path: string) => path === KEYS,
      () => problem(409, "Encryption is switched off."),
    ],
  ])("when it %s, sends nothing of it as the next user", async (_, asks, answer) => {
    changeOfUsers(asks, answer);

    await expect(client.save("s1", { history: SECRET })).rejects.toBeInstanceOf(NotAuthorizedError);

    expect(servers.bob?.stored.size).toBe(0);
    expect(servers.bob?.seen).toEqual([]);
  });

  it("does not look, as the next user, at what it would conflict with", async () => {
    const base = (await client.save("s1", { history: SECRET })) as Session;
    changeOfUsers(
      (method) => method === "PUT",
      () => problem(412, "The session is not as it was."),
    );

    const error: unknown = await client.save("s1", { history: [] }, { base }).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(NotAuthorizedError);
    expect(error).not.toBeInstanceOf(ConflictError);
    expect(servers.bob?.seen).toEqual([]);
  });
});

describe("other calls that are under way at sign-out", () => {
  it("give back nothing that was read, and leave no key behind", async () => {
    await client.save("s1", { history: SECRET });
    await servers.alice?.reencrypt("s1");
    client.signOut();
    changeOfUsers((method, path) => method === "GET" && path.startsWith("/session/s1"));

    await expect(client.read("s1")).rejects.toBeInstanceOf(NotAuthorizedError);

    expect(servers.alice?.asked("POST", UNWRAPPED)).toHaveLength(0);
    expect(servers.bob?.seen).toEqual([]);
  });

  it("delete nothing of the next user's", async () => {
    const base = (await client.save("s1", { history: SECRET })) as Session;
    changeOfUsers(
      (method) => method === "DELETE",
      () => problem(412, "The session is not as it was."),
    );

    await expect(client.remove("s1", { base })).rejects.toBeInstanceOf(NotAuthorizedError);

    expect(servers.bob?.seen).toEqual([]);
  });

  it("end while the token is still awaited", async () => {
    let asked: (give: (token: string) => void) => void = () => {};
    const giving = new Promise<(token: string) => void>((resolve) => {
      asked = resolve;
    });
    const waiting = new SessionClient({
      api: "https://api.test",
      token: () => new Promise((give) => asked(give)),
      fetch: (servers.bob as FakeServer).fetch,
    });
    const saved = waiting.save("s1", { name: "Alice's" });
    const give = await giving;
    waiting.signOut();
    give("token");

    await expect(saved).rejects.toBeInstanceOf(NotAuthorizedError);
    expect(servers.bob?.seen).toEqual([]);
  });

  it("keep the reason of whoever aborted them first", async () => {
    const mine = new AbortController();
    const reason = new Error("left the view");
    const server = servers.alice as FakeServer;
    server.before = () => {
      mine.abort(reason);
      client.signOut();
      return undefined;
    };

    await expect(client.read("s1", { signal: mine.signal })).rejects.toBe(reason);
  });
});

it("a call that begins after sign-out is the next user's", async () => {
  await client.save("s1", { history: SECRET });
  client.signOut();
  user = "bob";

  expect(await client.read("s1")).toBeUndefined();
  expect((await client.save("s1", { history: [] })).history).toEqual([]);
});
