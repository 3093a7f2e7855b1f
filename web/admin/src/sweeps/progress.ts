/** How far a sweep is. Pure. */

import type { Sweep } from "../api/types";

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
