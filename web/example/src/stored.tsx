/** What the server holds of a conversation, as it comes over the wire: for those who would see it. */
import { useEffect, useState } from "react";

interface Props {
  sessionId: string;
  /** Which version; with another one it is asked for again. */
  etag: string;
  api: string;
  token: () => Promise<string>;
}

export function Stored(props: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="stored" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What the server holds</summary>
      {isOpen && <Attributes {...props} />}
    </details>
  );
}

function Attributes({ sessionId, etag, api, token }: Props) {
  const [held, setHeld] = useState<[string, string][] | "failed">();

  // biome-ignore lint/correctness/useExhaustiveDependencies: again for each version
  useEffect(() => {
    const visit = new AbortController();
    async function read(): Promise<void> {
      const response = await fetch(`${api}/session/${encodeURIComponent(sessionId)}?form=encrypted`, {
        headers: { Authorization: `Bearer ${await token()}` },
        cache: "no-store",
        signal: visit.signal,
      });
      if (!response.ok) throw new Error(`${response.status}`);
      const { session } = (await response.json()) as { session: Record<string, unknown> };
      if (!visit.signal.aborted) setHeld(Object.entries(session).map(([name, value]) => [name, shortened(value)]));
    }
    read().catch(() => visit.signal.aborted || setHeld("failed"));
    return () => visit.abort();
  }, [sessionId, etag, api, token]);

  if (held === "failed") return <p className="soft">It cannot be read at the moment.</p>;
  if (!held) return <p className="soft">Reading…</p>;
  return (
    <dl>
      {held.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function shortened(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= 160 ? text : `${text.slice(0, 160)}… (${text.length.toLocaleString()} characters)`;
}
