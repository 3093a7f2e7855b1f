/**
 * Who is signed in, by authorization code with PKCE.
 *
 *     starting ─┬─ no code in the address ─▶ signed-out ── signIn() ──▶ leaving
 *               ├─ the page was reloaded ──────────────────────────────▶ leaving
 *               └─ the issuer sent back here ─▶ signed-in ─┬─ signOut() ─▶ leaving
 *                                                          └─ the token ended, no new one ─▶ expired
 *
 * Tokens live in this page's memory only. The session storage holds what PKCE needs between leaving for the issuer and
 * coming back, and nothing else. A new token is got by refresh token, never in a frame.
 */

import {
  ErrorResponse,
  type INavigator,
  InMemoryWebStorage,
  type User,
  UserManager,
  WebStorageStateStore,
} from "oidc-client-ts";

import { NotSignedIn } from "../api/errors";
import type { PageConfig } from "./config";

/** Why nobody is signed in, beside that nobody did. */
export type Why = "signed-out" | "not-completed" | "stale" | "unreachable";

export type SignInState =
  | { kind: "starting" }
  | { kind: "leaving" }
  | { kind: "signed-out"; why: Why | null }
  | { kind: "signed-in"; name: string }
  | { kind: "expired"; name: string };

export class SignIn {
  private current: SignInState = { kind: "starting" };
  private readonly listeners = new Set<() => void>();
  private renewal: Promise<boolean> | null = null;

  constructor(private readonly manager: UserManager) {
    manager.events.addAccessTokenExpiring(() => void this.renew());
    manager.events.addAccessTokenExpired(() => void this.renew());
  }

  /** Returns the sign-in of a page at `origin`; `leave` goes to another address, as a browser does unless told otherwise. */
  static for(config: PageConfig, origin: string, leave?: INavigator): SignIn {
    const here = `${origin}/admin`;
    return new SignIn(
      new UserManager(
        {
          authority: config.issuer,
          ...(config.metadataUrl ? { metadataUrl: config.metadataUrl } : {}),
          client_id: config.clientId,
          redirect_uri: here,
          post_logout_redirect_uri: here,
          scope: config.scope,
          response_type: "code",
          userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
          stateStore: new WebStorageStateStore({ store: window.sessionStorage, prefix: "pkce." }),
          automaticSilentRenew: false, // It would fall back on a frame.
          accessTokenExpiringNotificationTimeInSeconds: 60,
        },
        leave,
      ),
    );
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly state = (): SignInState => this.current;

  /** Takes up what the address says: back from the issuer, a reload, or a first visit. Called once. */
  async begin(reloaded: boolean): Promise<void> {
    const query = new URLSearchParams(window.location.search);
    if (query.has("state") && (query.has("code") || query.has("error"))) {
      await this.comeBack();
    } else if (reloaded) {
      await this.signIn();
    } else {
      this.become({ kind: "signed-out", why: null });
    }
  }

  /** Leaves for the issuer, to come back to the view that is shown. */
  async signIn(): Promise<void> {
    this.become({ kind: "leaving" });
    try {
      await this.manager.signinRedirect({ state: window.location.hash });
    } catch {
      this.become({ kind: "signed-out", why: "unreachable" });
    }
  }

  /** Told that the browser shows the page again as it was left: whoever went back does not want to leave after all. */
  shownAgain(): void {
    if (this.current.kind === "leaving") this.become({ kind: "signed-out", why: null });
  }

  /** Drops the tokens, here and at the issuer as far as it has an address for that. */
  async signOut(): Promise<void> {
    this.become({ kind: "leaving" });
    const { client_id, post_logout_redirect_uri: here } = this.manager.settings;
    try {
      // Amazon Cognito calls the address logout_uri, and wants the client's id beside it.
      await this.manager.signoutRedirect({ extraQueryParams: { client_id, logout_uri: here ?? "" } });
    } catch {
      await this.manager.removeUser();
      this.become({ kind: "signed-out", why: "signed-out" });
    }
  }

  /** Returns the access token; rejects with NotSignedIn where there is none that holds. */
  async token(): Promise<string> {
    let user = await this.manager.getUser();
    if (user?.expired && (await this.renew())) user = await this.manager.getUser();
    if (!user || user.expired) throw new NotSignedIn();
    return user.access_token;
  }

  /** Gets a new access token by refresh token; returns whether there is one. Asked for at the same time, it does so once. */
  renew(): Promise<boolean> {
    this.renewal ??= this.renewed().finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async renewed(): Promise<boolean> {
    const user = await this.manager.getUser();
    if (this.current.kind !== "signed-in" || !user) return false;
    try {
      if (user.refresh_token && (await this.manager.signinSilent())) return true;
    } catch {
      // The issuer is away or takes the refresh token no more; the access token may hold for another moment.
    }
    if (user.expired) await this.expire();
    return false;
  }

  /** The API takes the token no more, whatever it says of itself. */
  async expire(): Promise<void> {
    const user = await this.manager.getUser();
    if (this.current.kind !== "signed-in") return;
    await this.manager.removeUser();
    this.become({ kind: "expired", name: user ? nameOf(user) : this.current.name });
  }

  private async comeBack(): Promise<void> {
    let view = "";
    try {
      const user = await this.manager.signinRedirectCallback();
      if (typeof user.state === "string" && user.state.startsWith("#/")) view = user.state;
      this.become({ kind: "signed-in", name: nameOf(user) });
    } catch (error) {
      const why = error instanceof ErrorResponse ? "not-completed" : isStale(error) ? "stale" : "unreachable";
      this.become({ kind: "signed-out", why });
    } finally {
      // The code is used up; it should be neither in the history nor in a bookmark.
      window.history.replaceState(null, "", `${window.location.pathname}${view}`);
    }
  }

  private become(state: SignInState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}

function isStale(error: unknown): boolean {
  return error instanceof Error && error.message.includes("No matching state");
}

function nameOf(user: User): string {
  const { email, name, preferred_username: handle, sub } = user.profile;
  return email ?? name ?? handle ?? (user.profile["cognito:username"] as string | undefined) ?? sub;
}
