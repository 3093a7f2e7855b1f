/** A session as a caller sees it. */
import { fingerprint } from "./dynamodb-json.js";
import type { Value } from "./values.js";

/** One of the caller's sessions. Treat it as read-only: it is what a later save is compared with. */
export interface Session {
  sessionId: string;
  userId: string;
  name?: string;
  /** An array, if it was written through this API. */
  history?: Value;
  /** An object, if it was written through this API. */
  configuration?: Value;
  /** The tag of the session as the server holds it. */
  etag: string;
  /**
   * How it travelled: encrypted, or with a value in the clear, since encryption is switched off or not meant for it. Only
   * what travelled encrypted is known to be what was written to this session.
   */
  form: "encrypted" | "plaintext";
  /** All other attributes. */
  attributes: Record<string, Value>;
}

/** What a session is to hold from now on. What is left out stays as it was. */
export type SessionChanges = { name?: string; history?: Value[]; configuration?: Record<string, Value> };

/** A session as the list shows it: nothing of it is encrypted. */
export interface ListedSession {
  sessionId: string;
  name?: string;
  startTime?: string;
  createTime?: string;
  lastUpdated?: string;
  /** Whether it was stored encrypted when last looked at. */
  encrypted: boolean;
}

/** Set by the server at each write, so that it tells nothing of the content. */
const LAST_UPDATED = "lastUpdated";

/** Tells whether two sessions hold the same, whatever form they travelled in and whenever they were written. */
export function sameContent(one: Session, other: Session): boolean {
  return content(one) === content(other);
}

/** Tells whether `session` holds what `base` does with `changes` made. */
export function holds(session: Session, base: Session, changes: SessionChanges): boolean {
  return content(session) === content({ ...base, ...changes });
}

function content({ sessionId, userId, name, history, configuration, attributes }: Session): string {
  const shown: Record<string, Value | undefined> = { sessionId, userId, name, history, configuration };
  const { [LAST_UPDATED]: _, ...others } = attributes;
  const present = Object.entries(shown).filter((member): member is [string, Value] => member[1] !== undefined);
  return JSON.stringify([
    present.map(([member, value]) => [member, fingerprint(value)]),
    Object.keys(others)
      .sort()
      .map((member) => [member, fingerprint(others[member] as Value)]),
  ]);
}
