/** Reading from the API and reading again: what was last read is shown at once when a view comes back. */

import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";

import { NotAdministrator, NotSignedIn } from "./api/errors";

interface Snapshot<T> {
  data: T | undefined;
  error: Error | null;
  /** When `data` was read, in milliseconds. */
  at: number | null;
}

export interface Resource<T> extends Snapshot<T> {
  /** Whether a read is under way. */
  busy: boolean;
  /** Reads again now. */
  refresh: () => void;
}

interface Memory {
  snapshots: Map<string, Snapshot<unknown>>;
  refused: (error: NotSignedIn | NotAdministrator) => void;
}

const MemoryContext = createContext<Memory | null>(null);

/** Keeps what was read, for as long as somebody is signed in; tells `refused` where the API takes them no more. */
export function ResourceMemory({ refused, children }: { refused: Memory["refused"]; children: ReactNode }) {
  const [memory] = useState<Memory>(() => ({ snapshots: new Map(), refused }));
  return <MemoryContext value={memory}>{children}</MemoryContext>;
}

/** Returns what tells the page that the API takes whoever is signed in no more. */
export function useRefused(): Memory["refused"] {
  return useMemory().refused;
}

function useMemory(): Memory {
  const memory = use(MemoryContext);
  if (!memory) throw new Error("ResourceMemory is missing");
  return memory;
}

const NOTHING: Snapshot<never> = { data: undefined, error: null, at: null };
const LONGEST_WAIT = 60_000;

/**
 * Reads a resource when the view appears, and every `every` milliseconds while the page is seen.
 *
 * A read that failed keeps what was read before, and is tried again, ever more slowly. Leaving the view aborts it.
 *
 * @param key what is read; another key is another resource. Null reads nothing.
 */
export function useResource<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  every: number | null = null,
): Resource<T> {
  const { snapshots, refused } = useMemory();
  const [, redraw] = useState(0);
  const [asked, ask] = useState(0);
  const [busy, setBusy] = useState(false);
  const loading = useRef(load);
  useEffect(() => {
    loading.current = load;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: to ask again is to read again
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: number | undefined;
    let failed = 0;
    let reading = false;

    const keep = (snapshot: Snapshot<unknown>) => {
      snapshots.set(key, snapshot);
      redraw((n) => n + 1);
    };
    const read = async () => {
      window.clearTimeout(timer);
      if (reading) return;
      reading = true;
      setBusy(true);
      try {
        const data = await loading.current(signal);
        if (signal.aborted) return;
        failed = 0;
        keep({ data, error: null, at: Date.now() });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof NotSignedIn || error instanceof NotAdministrator) return refused(error);
        failed += 1;
        keep({ ...(snapshots.get(key) ?? NOTHING), error: error instanceof Error ? error : new Error(String(error)) });
      } finally {
        reading = false;
        if (!signal.aborted) setBusy(false);
      }
      next();
    };
    const next = () => {
      if (every === null || document.hidden) return;
      timer = window.setTimeout(() => void read(), Math.min(LONGEST_WAIT, every * 2 ** failed));
    };
    const seen = () => {
      if (every !== null && !document.hidden) void read();
      else window.clearTimeout(timer);
    };
    document.addEventListener("visibilitychange", seen);
    void read();
    return () => {
      controller.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, every, asked, snapshots, refused]);

  const refresh = useCallback(() => ask((n) => n + 1), []);
  const snapshot = ((key !== null && snapshots.get(key)) || NOTHING) as Snapshot<T>;
  return { ...snapshot, busy, refresh };
}
