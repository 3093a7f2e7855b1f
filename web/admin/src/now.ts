/** The time, for what is told relative to it: one clock for the page, which ticks while somebody listens. */

import { useSyncExternalStore } from "react";

const TICK = 5_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: number | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK);
  return () => {
    listeners.delete(listener);
    if (listeners.size) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** Returns the time to a few seconds. */
export function useNow(): Date {
  return new Date(useSyncExternalStore(subscribe, () => now));
}
