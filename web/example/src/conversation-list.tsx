import { StoredBadge } from "./encryption-badge";
import { Icon } from "./icons";
import { addressOf } from "./route";
import type { Conversations } from "./use-conversations";

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function ConversationList({
  conversations,
  shown,
}: {
  conversations: Conversations;
  shown: string | undefined;
}) {
  const { sessions, hasMore, error, refresh, showMore } = conversations;
  const begin = () => {
    window.location.hash = addressOf(crypto.randomUUID());
  };
  return (
    <nav className="list" aria-label="Conversations">
      <button type="button" className="button primary" onClick={begin}>
        <Icon name="plus" />
        New conversation
      </button>
      {error && (
        <div className="notice bad" role="alert">
          <p>The list cannot be read. {error.message}</p>
          <button type="button" className="button plain" onClick={refresh}>
            Try again
          </button>
        </div>
      )}
      {!sessions && !error && <p className="soft hint">Loading…</p>}
      {sessions?.length === 0 && <p className="soft hint">You have no conversations yet.</p>}
      <ul>
        {sessions?.map(({ sessionId, name, lastUpdated, createTime, encrypted }) => (
          <li key={sessionId}>
            <a href={addressOf(sessionId)} aria-current={sessionId === shown ? "page" : undefined}>
              <span className="title">{name || "Without a name"}</span>
              <span className="about">
                <Time at={lastUpdated ?? createTime} />
                <StoredBadge encrypted={encrypted} />
              </span>
            </a>
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" className="button quiet" onClick={showMore}>
          Show more
        </button>
      )}
    </nav>
  );
}

function Time({ at }: { at: string | undefined }) {
  const time = new Date(at ?? "");
  if (Number.isNaN(time.getTime())) return <span />;
  return (
    <time dateTime={time.toISOString()} title={time.toISOString()}>
      {WHEN.format(time)}
    </time>
  );
}
