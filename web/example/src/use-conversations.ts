/** The user's conversations, the newest first. Nothing in the list is encrypted: it has names and times. */
import type { ListedSession } from "@dynamodb-stream-encryptor/client";
import { useSessionClient } from "@dynamodb-stream-encryptor/react";
import { useCallback, useEffect, useState } from "react";

export interface Conversations {
  /** What was read last; undefined: nothing yet. */
  sessions: ListedSession[] | undefined;
  /** Whether there are more than these. */
  hasMore: boolean;
  error: Error | undefined;
  refresh: () => void;
  showMore: () => void;
}

const PAGE = 30;

export function useConversations(): Conversations {
  const client = useSessionClient();
  const [asked, ask] = useState({ pages: 1 });
  const [state, setState] = useState<Pick<Conversations, "sessions" | "hasMore" | "error">>({
    sessions: undefined,
    hasMore: false,
    error: undefined,
  });

  useEffect(() => {
    const visit = new AbortController();
    async function read(): Promise<void> {
      const sessions: ListedSession[] = [];
      let nextToken: string | undefined;
      for (let page = 0; page < asked.pages && (page === 0 || nextToken); page += 1) {
        const answer = await client.list({ limit: PAGE, nextToken, signal: visit.signal });
        sessions.push(...answer.sessions);
        nextToken = answer.nextToken;
      }
      if (!visit.signal.aborted) setState({ sessions, hasMore: nextToken !== undefined, error: undefined });
    }
    read().catch((error: Error) => {
      if (!visit.signal.aborted) setState((before) => ({ ...before, error }));
    });
    return () => visit.abort();
  }, [client, asked]);

  const refresh = useCallback(() => ask(({ pages }) => ({ pages })), []);
  const showMore = useCallback(() => ask(({ pages }) => ({ pages: pages + 1 })), []);
  return { ...state, refresh, showMore };
}
