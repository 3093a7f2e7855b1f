import { describe, expect, it } from "vitest";

import { AdminApi, type TokenSource } from "../src/api/api";
import { NotAdministrator, NotSignedIn, Refused, Unavailable } from "../src/api/errors";

const tokens: TokenSource = { token: async () => "secret", renew: async () => false };

/** Returns an API that is answered so, and what it sent. */
function answered(status: number, document: unknown, source = tokens) {
  const sent: { url: string; init: RequestInit }[] = [];
  const api = new AdminApi("https://api.example", source, async (url, init) => {
    sent.push({ url: String(url), init: init ?? {} });
    return new Response(typeof document === "string" ? document : JSON.stringify(document), { status });
  });
  return { api, sent };
}

describe("a call", () => {
  it("carries the token as bearer, no cookie, and what is confirmed", async () => {
    const { api, sent } = answered(200, { sweep: { id: "a" } });
    await api.move("a/b", "cancel");
    expect(sent[0]?.url).toBe("https://api.example/admin/api/sweeps/a%2Fb/cancel");
    expect(sent[0]?.init).toMatchObject({
      method: "POST",
      credentials: "omit",
      headers: { authorization: "Bearer secret" },
      body: '{"confirm":"cancel"}',
    });
  });

  it("switches off with its confirmation and the version that was seen, and on without", async () => {
    const seen = { enabled: true, part: null, version: 7, changedBy: null, changedAt: null };
    const { api, sent } = answered(200, { setting: seen });
    await api.switchTo(false, seen);
    await api.switchTo(true, seen);
    expect(sent.map(({ init }) => JSON.parse(String(init.body)))).toEqual([
      { enabled: false, version: 7, confirm: "switch-off" },
      { enabled: true, version: 7 },
    ]);
  });

  it.each([
    [401, { message: "Unauthorized" }, NotSignedIn],
    [403, { message: "You may not do this." }, NotAdministrator],
    [400, { message: "rate must be", field: "rate" }, Refused],
    [409, { message: "Another sweep runs", code: "conflict" }, Refused],
    [429, { message: "Too many" }, Unavailable],
    [503, { message: "Try again" }, Unavailable],
    [504, "<html>", Unavailable],
    [200, "no JSON", Unavailable],
  ])("that is answered with %i %j rejects as it should", async (status, document, kind) => {
    await expect(answered(status, document).api.status()).rejects.toBeInstanceOf(kind);
  });

  it("gives what the refusal says by field, code and version", async () => {
    const { api } = answered(409, { message: "Changed", code: "conflict", version: 8 });
    await expect(api.start({ goal: "encrypt" })).rejects.toMatchObject({ status: 409, code: "conflict", version: 8 });
  });

  it("that may have been carried out says so, and one that only reads does not", async () => {
    const { api } = answered(503, {});
    await expect(api.start({ goal: "encrypt" })).rejects.toMatchObject({ outcomeUnknown: true });
    await expect(api.status()).rejects.toMatchObject({ outcomeUnknown: false });
  });

  it("is made once more where the token was not taken and there is a new one, and once only", async () => {
    let renewals = 0;
    const source: TokenSource = { token: async () => `token ${renewals}`, renew: async () => ++renewals > 0 };
    const { api, sent } = answered(401, {}, source);
    await expect(api.status()).rejects.toBeInstanceOf(NotSignedIn);
    expect(sent.map(({ init }) => (init.headers as Record<string, string>).authorization)).toEqual([
      "Bearer token 0",
      "Bearer token 1",
    ]);
  });

  it("that is aborted rejects with the abort, not with a failure of the service", async () => {
    const controller = new AbortController();
    const api = new AdminApi("", tokens, (_, init) => {
      controller.abort();
      return Promise.reject(init?.signal?.reason);
    });
    await expect(api.status(controller.signal)).rejects.toMatchObject({ name: "AbortError" });
  });

  it("is not sent where nobody is signed in", async () => {
    const { api, sent } = answered(200, {}, { ...tokens, token: () => Promise.reject(new NotSignedIn()) });
    await expect(api.status()).rejects.toBeInstanceOf(NotSignedIn);
    expect(sent).toEqual([]);
  });
});
