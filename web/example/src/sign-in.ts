/**
 * Who is signed in, by OpenID Connect's authorization code with PKCE.
 *
 * Tokens live in this page's memory only: a reload signs in again. The session storage holds what PKCE needs between
 * leaving for the issuer and coming back. A new token is got by refresh token, never in a frame.
 */
import { ErrorResponse, InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { Config } from "./config";

export type SignInState =
  | { kind: "starting" | "leaving" }
  | { kind: "signed-out"; problem?: string }
  /** `ended`: the token holds no more, and there is no new one. */
  | { kind: "signed-in"; id: string; name: string; ended: boolean };

export class SignIn {
  readonly #manager: UserManager;
  readonly #listeners = new Set<() => void>();
  #state: SignInState = { kind: "starting" };
  #renewal: Promise<User | null> | undefined;

  constructor({ issuer, metadataUrl, clientId, scope }: Config) {
    const here = `${window.location.origin}/`;
    this.#manager = new UserManager({
      authority: issuer,
      ...(metadataUrl ? { metadataUrl } : {}),
      client_id: clientId,
      redirect_uri: here,
      post_logout_redirect_uri: here,
      scope,
      response_type: "code",
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: window.sessionStorage, prefix: "pkce." }),
      automaticSilentRenew: false, // It would fall back on a frame.
    });
  }

  readonly state = (): SignInState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Takes up what the address says: back from the issuer, or a visit. Called once. */
  async begin(): Promise<void> {
    const query = new URLSearchParams(window.location.search);
    if (!query.has("state") || !(query.has("code") || query.has("error"))) return this.#become({ kind: "signed-out" });
    let shown = "";
    try {
      const user = await this.#manager.signinRedirectCallback();
      if (typeof user.state === "string") shown = user.state;
      this.#become({ kind: "signed-in", id: user.profile.sub, name: nameOf(user), ended: false });
    } catch (error) {
      const wasRefused = error instanceof ErrorResponse;
      const problem = wasRefused ? "The sign-in was not completed." : "The sign-in did not work. Try it again.";
      this.#become({ kind: "signed-out", problem });
    } finally {
      // The code is used up; it should be neither in the history nor in a bookmark.
      window.history.replaceState(null, "", `/${shown.startsWith("#/") ? shown : ""}`);
    }
  }

  /** Leaves for the issuer, to come back to the conversation that is shown. */
  readonly signIn = async (): Promise<void> => {
    this.#become({ kind: "leaving" });
    try {
      await this.#manager.signinRedirect({ state: window.location.hash });
    } catch {
      this.#become({ kind: "signed-out", problem: "The issuer cannot be reached." });
    }
  };

  readonly signOut = async (): Promise<void> => {
    this.#become({ kind: "leaving" });
    try {
      await this.#manager.signoutRedirect();
    } catch {
      await this.#manager.removeUser();
      this.#become({ kind: "signed-out" });
    }
  };

  /** Returns the access token; rejects where there is none that holds. */
  readonly token = async (): Promise<string> => {
    let user = await this.#manager.getUser();
    if (user?.refresh_token && (user.expires_in ?? 0) < 30) {
      this.#renewal ??= this.#manager.signinSilent().finally(() => {
        this.#renewal = undefined;
      });
      user = await this.#renewal.catch(() => user);
    }
    if (user && !user.expired) return user.access_token;
    this.end();
    throw new Error("The sign-in has ended.");
  };

  /** The token holds no more, whatever it says of itself. What is shown stays. */
  readonly end = (): void => {
    if (this.#state.kind === "signed-in" && !this.#state.ended) this.#become({ ...this.#state, ended: true });
  };

  #become(state: SignInState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function nameOf({ profile }: User): string {
  return profile.name ?? profile.email ?? profile.preferred_username ?? profile.sub;
}
