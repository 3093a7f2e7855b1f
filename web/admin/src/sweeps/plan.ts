/** What a sweep would have to do, and for how long, as far as the newest sweeps tell. Pure. */

import type { Goal, Status, Sweep } from "../api/types";
import { newest, newestCensus, sum } from "./census";

export interface Plan {
  /** Items that it has to read: all of them. */
  reads: number;
  /** Items that it has to write, by the newest count; null where nobody counted. */
  writes: number | null;
  /** The count that this rests on. */
  census: Sweep | null;
  /** Seconds that it takes, or null where nothing tells. */
  seconds: number | null;
  /** What the seconds rest on. */
  pace: { from: "sweep"; sweep: Sweep; perSecond: number } | { from: "rate"; perSecond: number } | null;
}

/**
 * Returns the plan of a sweep.
 *
 * Every sweep reads the whole table, so its time is that of reading it, at the pace of the newest sweep of its goal (or
 * of any, where there is none), and no faster than `rate`.
 */
export function plan(status: Status, goal: Goal, rate: number | null, ofAnyAge = false): Plan {
  const census = newestCensus(status.sweeps);
  const reads = Math.max(status.tableItemCount, census?.scanned ?? 0);
  const past = paced(status.sweeps, goal);
  const perSecond = Math.min(past?.itemsPerSecond ?? Infinity, rate ?? Infinity);
  const pace: Plan["pace"] =
    past && perSecond < (rate ?? Infinity)
      ? { from: "sweep", sweep: past, perSecond }
      : rate
        ? { from: "rate", perSecond: rate }
        : null;
  return {
    reads,
    writes: census && writes(status, census, goal, ofAnyAge),
    census,
    seconds: pace ? reads / pace.perSecond : null,
    pace,
  };
}

function writes(status: Status, { counts, underKey, scanned }: Sweep, goal: Goal, ofAnyAge: boolean): number {
  switch (goal) {
    case "verify":
      return 0;
    case "encrypt":
      return sum(counts, ["plaintext", "mixed", "oldForm"]);
    case "decrypt":
      return sum(counts, ["encrypted", "mixed", "oldForm"]);
    case "re-encrypt": {
      if (ofAnyAge) return sum(counts, ["encrypted", "mixed", "oldForm", "plaintext"]);
      const earlier = Object.entries(underKey).filter(([arn]) => status.earlierKeys.includes(arn));
      const open = sum(counts, ["plaintext", "mixed", "oldForm"]);
      return Math.min(scanned, open + earlier.reduce((total, [, number]) => total + number, 0));
    }
  }
}

function paced(sweeps: readonly Sweep[], goal: Goal): Sweep | null {
  const tells = (sweep: Sweep) => sweep.state === "done" && (sweep.itemsPerSecond ?? 0) > 0 && sweep.scanned >= 20;
  return newest(sweeps, (sweep) => tells(sweep) && sweep.goal === goal) ?? newest(sweeps, tells);
}
