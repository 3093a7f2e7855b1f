/**
 * One session, as it was last seen, and the saves that are under way.
 *
 * ```
 * loading ─┬─▶ ready ◀─ save ─┬─▶ ready, saving ─┬─▶ ready
 *          ├─▶ absent ◀───────┘                  ├─▶ conflict: overwrite() or reload()
 *          └─▶ error ── reload() ──▶ loading     └─▶ error, as it was
 * ```
 *
 * Reads and saves go one after another, each save from what the one before it left. One that fails takes those behind it
 * along: they were made on top of it.
 */
import {
  ClientError,
  ConflictError,
  type Session,
  type SessionChanges,
  type SessionClient,
} from "@dynamodb-stream-encryptor/client";
import { asError, Store } from "./store.js";

/**
 * What a session is to hold, or what makes it of the session as it was last seen (undefined: there is none).
 *
 * The function is called again where that changes, and has no effects.
 */
export type SessionUpdate = SessionChanges | ((seen: Session | undefined) => SessionChanges);

/** A save that came too late: the session is not what it was made from. Nothing was written. */
export interface SessionConflict {
  /** The session as it is now; undefined: it was deleted. */
  readonly current: Session | undefined;
  /** Shows the session as it is now, and gives the own change up. */
  reload(): Promise<void>;
  /** Makes the own change again, on top of the session as it is now. */
  overwrite(): Promise<Session | undefined>;
}

export type SessionStatus = "loading" | "ready" | "absent" | "error";

export interface SessionState {
  /** The session as it was last seen, with the saves made that are under way; undefined: none was seen. */
  readonly data: Session | undefined;
  /** Whether the session was read: it is there, it is absent (a save creates it), or `error` says why it was not. */
  readonly status: SessionStatus;
  /** Whether a save is under way. */
  readonly saving: boolean;
  /** Why the last read or save failed. A conflict is not an error. */
  readonly error: Error | undefined;
  /** The save that came too late, until it is settled. */
  readonly conflict: SessionConflict | undefined;
}

interface Save {
  readonly update: SessionUpdate;
}

/** What is known from when the first component shows the session until the last one leaves. */
interface Visit {
  readonly signal: AbortSignal;
  /** Whether the session was read, there or not; if not, whether trying failed. */
  read: boolean;
  failed: boolean;
  seen: Session | undefined;
  saves: readonly Save[];
  last: Promise<unknown>;
}

export class SessionStore extends Store<SessionState> {
  readonly #client: SessionClient;
  readonly #sessionId: string;
  #visit = newVisit(AbortSignal.abort());

  constructor(client: SessionClient, sessionId: string) {
    super({ data: undefined, status: "loading", saving: false, error: undefined, conflict: undefined });
    this.#client = client;
    this.#sessionId = sessionId;
  }

  /** Reads the session again, after the saves that are under way. */
  readonly reload = (): Promise<void> => this.#inTurn(this.#visit, (visit) => this.#read(visit));

  /**
   * Saves a change of the session as it was last seen, and returns it as it then is.
   *
   * Returns undefined where nothing was saved: `conflict` or `error` says why, or the component is gone.
   */
  readonly save = async (update: SessionUpdate): Promise<Session | undefined> => {
    const visit = this.#visit;
    if (!visit.read) {
      // Whoever has not seen the session cannot know what the change replaces.
      const error = new ClientError("not-read", "The session was not read yet. Nothing was saved.");
      this.#show(visit, { error });
      return undefined;
    }
    const save: Save = { update };
    made(made(visit.seen, visit.saves), [save]); // What the update throws is the caller's.
    visit.saves = [...visit.saves, save];
    this.#show(visit, { error: undefined });
    return this.#inTurn(visit, () => this.#send(visit, save));
  };

  protected begin(signal: AbortSignal): void {
    this.#visit = newVisit(signal);
    void this.reload();
  }

  async #inTurn<T>(visit: Visit, work: (visit: Visit) => Promise<T>): Promise<T | undefined> {
    const turn = visit.last.then(() => (visit.signal.aborted ? undefined : work(visit)));
    visit.last = turn;
    return turn;
  }

  async #read(visit: Visit): Promise<void> {
    if (visit.failed) {
      visit.failed = false;
      this.#show(visit, { error: undefined });
    }
    try {
      visit.seen = await this.#client.read(this.#sessionId, { signal: visit.signal });
      visit.read = true;
      this.#show(visit, { error: undefined, conflict: undefined });
    } catch (reason) {
      visit.failed = !visit.read;
      this.#show(visit, { error: asError(reason) });
    }
  }

  async #send(visit: Visit, save: Save): Promise<Session | undefined> {
    if (!visit.saves.includes(save)) return undefined;
    const { seen, signal } = visit;
    try {
      const saved = await this.#client.save(this.#sessionId, changesOf(save, seen), { base: seen ?? null, signal });
      visit.seen = saved;
      visit.saves = visit.saves.filter((other) => other !== save);
      this.#show(visit, { error: undefined, conflict: undefined });
      return saved;
    } catch (reason) {
      const lost = visit.saves;
      visit.saves = [];
      const isConflict = reason instanceof ConflictError;
      this.#show(visit, isConflict ? { conflict: this.#conflict(visit, lost, reason) } : { error: asError(reason) });
      return undefined;
    }
  }

  #conflict(visit: Visit, lost: readonly Save[], { current }: ConflictError): SessionConflict {
    return {
      current,
      reload: this.reload,
      overwrite: async () => {
        if (visit.signal.aborted) return undefined;
        visit.seen = current;
        const saved = await Promise.all(lost.map(({ update }) => this.save(update)));
        return saved.at(-1);
      },
    };
  }

  #show(visit: Visit, news: Partial<Pick<SessionState, "error" | "conflict">>): void {
    const { error, conflict } = { ...this.snapshot(), ...news };
    const data = made(visit.seen, visit.saves);
    this.become({ data, status: statusOf(visit), saving: visit.saves.length > 0, error, conflict }, visit.signal);
  }
}

function newVisit(signal: AbortSignal): Visit {
  return { signal, read: false, failed: false, seen: undefined, saves: [], last: Promise.resolve() };
}

function statusOf({ read, failed, seen }: Visit): SessionStatus {
  if (read) return seen ? "ready" : "absent";
  return failed ? "error" : "loading";
}

function changesOf({ update }: Save, seen: Session | undefined): SessionChanges {
  return typeof update === "function" ? update(seen) : update;
}

/**
 * Returns a session with saves made that are under way.
 *
 * Only of a session that was seen: what values it gets is certain, whose it is and in what form it is stored is the
 * server's to say.
 */
function made(seen: Session | undefined, saves: readonly Save[]): Session | undefined {
  let session = seen;
  for (const save of saves) {
    const changes = Object.entries(changesOf(save, session)).filter(([, value]) => value !== undefined);
    session = session && { ...session, ...Object.fromEntries(changes) };
  }
  return session;
}
