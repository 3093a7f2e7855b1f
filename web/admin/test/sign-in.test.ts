import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { NotSignedIn } from "../src/api/errors";
import { SignIn } from "../src/sign-in/sign-in";

const METADATA = {
  issuer: "https://issuer.test",
  authorization_endpoint: "https://issuer.test/authorize",
  token_endpoint: "https://issuer.test/token",
  jwks_uri: "https://issuer.test/jwks",
};

const CONFIG = {
  issuer: "https://issuer.test",
  clientId: "page",
  scope: "openid",
  metadataUrl: "https://metadata.test/openid",
  apiUrl: "",
  groupHint: "admin",
  region: "",
  stack: "",
};

const part = (object: object) =>
  btoa(JSON.stringify(object)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");

/** An issuer: answers what the page asks it, and keeps what it was sent. */
class Issuer {
  seconds = 3600;
  refresh: string | null = "refresh-1";
  down = false;
  readonly forms: URLSearchParams[] = [];

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (this.down) throw new TypeError("Failed to fetch");
    const url = String(input);
    if (url === CONFIG.metadataUrl) return Response.json(METADATA);
    if (url !== METADATA.token_endpoint) throw new Error(`unexpected: ${url}`);
    this.forms.push(new URLSearchParams(String(init?.body)));
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: METADATA.issuer, aud: "page", sub: "dana", iat: now, exp: now + this.seconds };
    return Response.json({
      access_token: `access-${this.forms.length}`,
      id_token: `${part({ alg: "none" })}.${part(claims)}.x`,
      token_type: "Bearer",
      expires_in: this.seconds,
      ...(this.refresh ? { refresh_token: this.refresh } : {}),
    });
  };
}

let issuer: Issuer;
let left: string[];

/** Returns the sign-in of a page that was just loaded. jsdom goes nowhere: where the page would go is kept instead. */
function load(): SignIn {
  return SignIn.for(CONFIG, "https://page.test", {
    prepare: async () => ({
      navigate: async ({ url }) => {
        left.push(url);
        return { url };
      },
      close: () => {},
    }),
    callback: async () => {},
  });
}

/** Signs in on a page that is loaded twice, as a browser does, and returns the second. */
async function signedIn(): Promise<SignIn> {
  await load().signIn();
  const asked = new URL(left.at(-1) as string).searchParams;
  window.history.replaceState(null, "", `/admin?code=abc&state=${asked.get("state")}`);
  const signIn = load();
  await signIn.begin(false);
  return signIn;
}

beforeEach(() => {
  issuer = new Issuer();
  left = [];
  sessionStorage.clear();
  window.history.replaceState(null, "", "/admin");
  vi.stubGlobal("fetch", issuer.fetch);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("sign-in", () => {
  it("is waited for on a first visit, and begun at once on a reload", async () => {
    const visited = load();
    await visited.begin(false);
    expect(visited.state()).toEqual({ kind: "signed-out", why: null });
    expect(left).toEqual([]);
    const reloaded = load();
    await reloaded.begin(true);
    expect(left).toHaveLength(1);
  });

  it("asks for a code with PKCE", async () => {
    await load().signIn();
    const asked = new URL(left[0] as string).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: "code",
      client_id: "page",
      redirect_uri: "https://page.test/admin",
      code_challenge_method: "S256",
    });
    expect(asked.get("code_challenge")).toMatch(/^[\w-]{43}$/);
  });

  it("comes back with tokens in memory only, to the view that was shown, the code gone from the address", async () => {
    window.history.replaceState(null, "", "/admin#/keys");
    const signIn = await signedIn();
    expect(signIn.state()).toEqual({ kind: "signed-in", name: "dana" });
    expect(await signIn.token()).toBe("access-1");
    expect(issuer.forms[0]?.get("code_verifier")).toBeTruthy();
    expect(window.location.href).toMatch(/\/admin#\/keys$/);
    expect({ ...sessionStorage, ...localStorage }).toEqual({});
  });

  it("that the issuer refused, or that another tab began, signs nobody in", async () => {
    await load().signIn();
    const state = new URL(left[0] as string).searchParams.get("state");
    window.history.replaceState(null, "", `/admin?error=access_denied&state=${state}`);
    const refused = load();
    await refused.begin(false);
    expect(refused.state()).toEqual({ kind: "signed-out", why: "not-completed" });
    window.history.replaceState(null, "", "/admin?code=abc&state=of-another");
    const stale = load();
    await stale.begin(false);
    expect(stale.state()).toEqual({ kind: "signed-out", why: "stale" });
    expect(window.location.search).toBe("");
  });

  it("can be begun again by whoever went back from the issuer", async () => {
    const signIn = load();
    await signIn.signIn();
    expect(signIn.state().kind).toBe("leaving");
    signIn.shownAgain();
    expect(signIn.state()).toEqual({ kind: "signed-out", why: null });
  });

  it("says so where the issuer is away", async () => {
    issuer.down = true;
    const signIn = load();
    await signIn.signIn();
    expect(signIn.state()).toEqual({ kind: "signed-out", why: "unreachable" });
  });
});

describe("renewal", () => {
  it("is by refresh token, once for all who ask at the same time", async () => {
    const signIn = await signedIn();
    expect(await Promise.all([signIn.renew(), signIn.renew()])).toEqual([true, true]);
    expect(issuer.forms.map((form) => form.get("grant_type"))).toEqual(["authorization_code", "refresh_token"]);
    expect(await signIn.token()).toBe("access-2");
  });

  it("that fails leaves a token that still holds in use", async () => {
    const signIn = await signedIn();
    issuer.down = true;
    expect(await signIn.renew()).toBe(false);
    expect(await signIn.token()).toBe("access-1");
  });

  it("is not tried in a frame: without a refresh token the sign-in expires with the token", async () => {
    issuer.refresh = null;
    const signIn = await signedIn();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 3_600_000 });
    await expect(signIn.token()).rejects.toBeInstanceOf(NotSignedIn);
    expect(signIn.state()).toEqual({ kind: "expired", name: "dana" });
    expect(document.querySelector("iframe")).toBeNull();
  });
});

describe("a token that ended", () => {
  it("is renewed where it is asked for, and ends the sign-in where the issuer renews it no more", async () => {
    const signIn = await signedIn();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 3_600_000 });
    expect(await signIn.token()).toBe("access-2");
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    issuer.down = true;
    await expect(signIn.token()).rejects.toBeInstanceOf(NotSignedIn);
    expect(signIn.state()).toEqual({ kind: "expired", name: "dana" });
  });

  it("is dropped where the API takes it no more", async () => {
    const signIn = await signedIn();
    await signIn.expire();
    expect(signIn.state()).toEqual({ kind: "expired", name: "dana" });
    await expect(signIn.token()).rejects.toBeInstanceOf(NotSignedIn);
  });
});

describe("sign-out", () => {
  it("drops the tokens where the issuer has no address for it", async () => {
    const signIn = await signedIn();
    await signIn.signOut();
    expect(signIn.state()).toEqual({ kind: "signed-out", why: "signed-out" });
    await expect(signIn.token()).rejects.toBeInstanceOf(NotSignedIn);
  });
});
