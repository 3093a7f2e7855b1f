/** What one user of one API shares: a client with its keys, the setting, and the sessions that are shown. */
import { NotAuthorizedError, SessionClient } from "@dynamodb-stream-encryptor/client";
import { ConfigStore } from "./config-store.js";
import { SessionStore } from "./session-store.js";

export type TokenSource = () => string | Promise<string>;

export class Scope {
  readonly client: SessionClient;
  readonly config: ConfigStore;
  readonly #sessions = new Map<string, SessionStore>();
  #token: TokenSource = nobody;

  /** @param client another client than one of the API's own. */
  constructor(api: string | undefined, client?: SessionClient | undefined) {
    this.client = client ?? new SessionClient({ api: api ?? "", token: () => this.#token() });
    this.config = new ConfigStore(this.client);
  }

  /** Returns the session's store: components that show the same session show the same state. */
  session(sessionId: string): SessionStore {
    const known = this.#sessions.get(sessionId);
    if (known) return known;
    const store = new SessionStore(this.client, sessionId);
    this.#sessions.set(sessionId, store);
    return store;
  }

  /** Has requests carry the token of `token` until the function that comes back is called: then they carry none. */
  actFor(token: TokenSource): () => void {
    this.#token = token;
    return () => {
      this.#token = nobody;
    };
  }
}

/** Nobody's token: a request of a user who has gone must not go out in the name of the next. */
function nobody(): never {
  throw new NotAuthorizedError("The user is signed out.");
}
