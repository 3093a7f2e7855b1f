/** How fast a sweep is now: the control function knows only its average, in which a pause counts too. Pure. */

import type { Sweep } from "../api/types";

export interface Reading {
  at: number;
  scanned: number;
}

const WINDOW = 30_000;

/** Returns `readings` with one more, and without those that are no longer of now. */
export function withReading(readings: readonly Reading[], sweep: Sweep, at: number): readonly Reading[] {
  if (sweep.state !== "running") return [];
  const last = readings.at(-1);
  if (last && (at <= last.at || sweep.scanned < last.scanned)) return readings;
  const kept = readings.filter((reading, index) => at - reading.at <= WINDOW || index === readings.length - 1);
  return [...kept, { at, scanned: sweep.scanned }];
}

/** Returns items a second, as measured where there are readings, else the average; null for a sweep that does not run. */
export function pace(readings: readonly Reading[], sweep: Sweep): number | null {
  if (sweep.state !== "running") return null;
  const [first, last] = [readings[0], readings.at(-1)];
  if (first && last && last.at > first.at && last.scanned > first.scanned) {
    return (1000 * (last.scanned - first.scanned)) / (last.at - first.at);
  }
  return sweep.itemsPerSecond;
}

/** Returns how many items a sweep will have read in all, as far as can be told: DynamoDB's own count is hours old. */
export function expected(sweep: Sweep): number {
  if (sweep.state === "done") return sweep.scanned;
  return Math.max(sweep.estimatedItems ?? 0, sweep.scanned);
}

/** Returns which part of a sweep is done, from 0 to 1; 1 is kept for a sweep that is done. */
export function progress(sweep: Sweep): number {
  if (sweep.state === "done") return 1;
  const bySegments = sweep.segments ? sweep.segmentsDone / sweep.segments : 0;
  const byItems = sweep.estimatedItems ? sweep.scanned / sweep.estimatedItems : 0;
  return Math.min(0.99, Math.max(bySegments, byItems));
}

/** Returns which part of a segment is done, from 0 to 1, if the segments are alike; 1 is kept for one that is done. */
export function segmentProgress(scanned: number, done: boolean, sweep: Sweep): number {
  if (done) return 1;
  const share = (sweep.estimatedItems ?? 0) / Math.max(1, sweep.segments);
  return share ? Math.min(0.97, scanned / share) : 0;
}
