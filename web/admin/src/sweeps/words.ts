/** What the control function counts and says, in words. Pure. */

import type { Goal, LimitedBy, Sweep, SweepState } from "../api/types";
import { duration } from "../format";

export const GOALS: Record<Goal, { name: string; does: string; verb: string; doing: string }> = {
  verify: {
    name: "Verify",
    verb: "verify",
    doing: "verifying",
    does: "Counts every item by its state and by its key. Changes nothing.",
  },
  encrypt: {
    name: "Encrypt",
    verb: "encrypt",
    doing: "encrypting",
    does: "Encrypts what is still in plaintext, and brings old forms up to date.",
  },
  "re-encrypt": {
    name: "Re-encrypt",
    verb: "re-encrypt",
    doing: "re-encrypting",
    does: "Encrypts again what is under an earlier key, in the old form, or older than you say.",
  },
  decrypt: {
    name: "Decrypt",
    verb: "decrypt",
    doing: "decrypting",
    does: "Brings the whole table back to plaintext. Needs encryption to be off.",
  },
};

export const STATES: Record<SweepState, string> = {
  running: "Running",
  paused: "Paused",
  cancelled: "Cancelled",
  stopped: "Stopped",
  done: "Done",
};

/** The states of an item that `verify` counts. */
export const CENSUS: Record<string, string> = {
  encrypted: "Encrypted",
  plaintext: "In plaintext",
  mixed: "Partly in plaintext",
  oldForm: "In the old form",
  undecryptable: "Cannot be decrypted",
  shredded: "Key destroyed",
  conflicts: "With a conflict to look at",
  none: "Nothing to encrypt",
  failed: "Could not be looked at",
};

/** What became of items in the other sweeps. */
export const OUTCOMES: Record<string, string> = {
  encrypted: "Encrypted",
  decrypted: "Decrypted",
  nothing: "Nothing to do",
  superseded: "Superseded by a newer write",
  deferred: "Put off",
  retried: "To be tried again",
  failed: "Failed",
  withoutLetter: "Failed without a dead letter",
};

/** What keeps a sweep from going faster. */
export const LIMITS: Record<LimitedBy, string> = {
  ceiling: "its ceiling",
  "table-capacity": "its part of the table’s capacity",
  "table-throttled": "the table, which throttles",
  "kms-throttled": "KMS, which throttles",
  function: "the work itself",
};

const REASONS: Record<string, string> = {
  "setting-changed": "the setting was changed",
  "hop-limit": "its messages went round too often",
};

/** Why a sweep ended early. */
export function reasonWords(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll("-", " ");
}

/** For how long a sweep ran, or a dash for one that has not ended. */
export function took({ startedAt, finishedAt }: Pick<Sweep, "startedAt" | "finishedAt">): string {
  return finishedAt ? duration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000) : "–";
}
