/**
 * What the sweeps say of the table, each a look at it at one time. Pure.
 *
 * A `verify` counts every item by its state. The others say what became of each item, and by that how it stood when the
 * sweep left it: what a sweep to encrypt encrypted is encrypted; where it found nothing to do, the item is encrypted or
 * has nothing to encrypt; what it could not do is still as it was.
 */

import type { Counts, Setting, Status, Sweep } from "../api/types";

/** How items stand, in the order in which a chart piles them up. */
export const STANDINGS = ["encrypted", "settled", "oldForm", "plaintext", "open"] as const;
export type Standing = (typeof STANDINGS)[number];

export const STANDING_WORDS: Record<Standing, string> = {
  encrypted: "Encrypted",
  settled: "In order already",
  oldForm: "Old form",
  plaintext: "In plaintext",
  open: "Open or failed",
};

export interface Look {
  sweep: Sweep;
  at: Date;
  standings: Record<Standing, number>;
}

/** Returns the finished sweeps as looks at the table, oldest first. A sweep that was ended early saw only a part. */
export function looks(sweeps: readonly Sweep[]): Look[] {
  return sweeps
    .filter((sweep) => sweep.state === "done" && sweep.finishedAt !== null && sweep.scanned > 0)
    .map((sweep) => ({ sweep, at: new Date(sweep.finishedAt as string), standings: standings(sweep) }))
    .sort((one, other) => one.at.getTime() - other.at.getTime());
}

/** Returns what a verification counted of the whole table, whether encryption was on for all of it or for a part. */
export function whole({ counts, outside }: Pick<Sweep, "counts" | "outside">): Counts {
  const names = new Set([...Object.keys(counts), ...Object.keys(outside)]);
  return Object.fromEntries([...names].map((name) => [name, (counts[name] ?? 0) + (outside[name] ?? 0)]));
}

function standings(sweep: Sweep): Record<Standing, number> {
  const of = (...names: string[]) => sum(whole(sweep), names);
  if (sweep.goal === "verify") {
    return {
      encrypted: of("encrypted"),
      settled: of("none"),
      oldForm: of("oldForm"),
      plaintext: of("plaintext", "mixed"),
      open: of("undecryptable", "failed"),
    };
  }
  return {
    encrypted: of("encrypted"),
    settled: of("nothing"),
    oldForm: 0,
    plaintext: of("decrypted"),
    open: of("superseded", "deferred", "retried", "failed"),
  };
}

/** Returns the newest finished `verify`: the last time that all items were counted by state. */
export function newestCensus(sweeps: readonly Sweep[]): Sweep | null {
  return newest(sweeps, (sweep) => sweep.goal === "verify" && sweep.state === "done");
}

/** Returns the sweep to follow: one that runs, or else one that is paused. */
export function activeSweep(sweeps: readonly Sweep[]): Sweep | null {
  return newest(sweeps, (sweep) => sweep.state === "running") ?? newest(sweeps, (sweep) => sweep.state === "paused");
}

export function newest(sweeps: readonly Sweep[], fits: (sweep: Sweep) => boolean): Sweep | null {
  return sweeps
    .filter(fits)
    .reduce<Sweep | null>((best, each) => (!best || each.startedAt > best.startedAt ? each : best), null);
}

export interface Judgement {
  tone: "good" | "warn" | "bad" | "unknown";
  title: string;
  detail: string;
}

/** How the table stands by its newest count. The compliance report judges more, and more strictly. */
export function judged(census: Sweep | null, status: Pick<Status, "setting">): Judgement {
  if (!census)
    return { tone: "unknown", title: "Not counted", detail: "Verify the table to count its items by state." };
  if (!census.scanned) return { tone: "unknown", title: "Empty", detail: "The newest verification found no item." };
  if (status.setting.enabled && status.setting.part) return ofPart(census, status.setting);
  const counts = whole(census);
  const of = (...names: string[]) => sum(counts, names);
  const wrong = of("undecryptable", "failed", "conflicts");
  const stale = census.settingVersion !== status.setting.version;
  const since = stale ? " The setting was changed since." : "";
  if (wrong) return { tone: "bad", title: "Look closer", detail: `Failed, undecryptable or in conflict.${since}` };
  const plaintext = of("plaintext", "mixed");
  const encrypted = of("encrypted", "mixed", "oldForm");
  if (!status.setting.enabled) {
    if (encrypted)
      return {
        tone: "warn",
        title: "Partly encrypted",
        detail: `Encryption is off, and some items are still encrypted.${since}`,
      };
    return {
      tone: stale ? "unknown" : "warn",
      title: "All in plaintext",
      detail: `Encryption is off, and nothing is encrypted.${since}`,
    };
  }
  if (plaintext || of("oldForm"))
    return { tone: "warn", title: "Work is left", detail: `Some items are not in the current encrypted form.${since}` };
  if (!encrypted)
    return {
      tone: "warn",
      title: "Nothing to encrypt",
      detail: "No item has one of the attributes: are these their names?",
    };
  return {
    tone: stale ? "warn" : "good",
    title: stale ? "All was encrypted" : "All encrypted",
    detail: `${census.deep ? "Every value was decrypted to check it." : "By the headers; no value was decrypted."}${since}`,
  };
}

/** How the part stands that encryption is on for. What it says is never said of the table. */
function ofPart(census: Sweep, setting: Setting): Judgement {
  const stale = census.settingVersion !== setting.version;
  if (stale) return { tone: "unknown", title: "Not counted", detail: "Not since encryption is on for a part." };
  const of = (...names: string[]) => sum(census.counts, names);
  const bad = ["undecryptable", "failed", "conflicts"];
  if (of(...bad) || sum(census.outside, bad))
    return { tone: "bad", title: "Look closer", detail: "Failed, undecryptable or in conflict." };
  if (of("plaintext", "mixed", "oldForm"))
    return { tone: "warn", title: "Work is left", detail: "Some items of the part are not encrypted yet." };
  if (sum(census.outside, ["encrypted", "mixed", "oldForm"]))
    return { tone: "warn", title: "Encrypted outside", detail: "Some items outside of the part are encrypted." };
  if (!of("encrypted"))
    return { tone: "warn", title: "Nothing in the part", detail: "No item of the part has one of the attributes." };
  return {
    tone: "warn",
    title: "The part is encrypted",
    detail: `All other items are in plaintext. ${census.deep ? "Every value was decrypted to check it." : "By the headers; no value was decrypted."}`,
  };
}

export function sum(counts: Counts, names: readonly string[]): number {
  return names.reduce((total, name) => total + (counts[name] ?? 0), 0);
}
