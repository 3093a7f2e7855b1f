/** Which conversation is shown: the address's fragment, `#/` and its id. */
import { useSyncExternalStore } from "react";

export function useShownId(): string | undefined {
  return useSyncExternalStore(subscribe, shownId);
}

export function addressOf(sessionId: string): string {
  return `#/${encodeURIComponent(sessionId)}`;
}

function shownId(): string | undefined {
  try {
    return decodeURIComponent(/^#\/(.+)$/.exec(window.location.hash)?.[1] ?? "") || undefined;
  } catch {
    return undefined;
  }
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
