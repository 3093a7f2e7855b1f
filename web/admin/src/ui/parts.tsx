/** The small parts that views are made of. */

import { Check, Copy, type LucideIcon } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";

import { ago, when } from "../format";
import { useNow } from "../now";

export type Tone = "good" | "warn" | "bad" | "info" | "unknown";

interface ButtonProps extends ComponentProps<"button"> {
  look?: "primary" | "plain" | "danger" | "quiet";
  icon?: LucideIcon;
  busy?: boolean;
}

/** A button. While it is busy, it keeps its place, its width and the focus, and does nothing. */
export function Button({
  look = "plain",
  icon: Icon,
  busy = false,
  children,
  className,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${look}${className ? ` ${className}` : ""}`}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {Icon && <Icon aria-hidden size={16} />}
      <span>{children}</span>
    </button>
  );
}

interface CardProps {
  title?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  className?: string;
  children?: ReactNode;
}

export function Card({ title, lead, actions, className, children }: CardProps) {
  const id = useId();
  return (
    <section className={`card${className ? ` ${className}` : ""}`} {...(title ? { "aria-labelledby": id } : {})}>
      {(title || actions) && (
        <header className="card-head">
          <div>
            {title && <h2 id={id}>{title}</h2>}
            {lead && <p className="soft small">{lead}</p>}
          </div>
          {actions && <div className="card-actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`badge ${tone}`}>
      <span className="dot" aria-hidden />
      {children}
    </span>
  );
}

/** A time in the reader's zone; the title has it in UTC. */
export function Time({
  at,
  form = "full",
}: {
  at: string | Date | null | undefined;
  form?: "full" | "date" | "short" | "ago";
}) {
  if (!at) return <span className="soft">–</span>;
  const moment = typeof at === "string" ? new Date(at) : at;
  if (Number.isNaN(moment.getTime())) return <span>{String(at)}</span>;
  return (
    <time dateTime={moment.toISOString()} title={when.utc(moment)}>
      {form === "ago" ? <Ago moment={moment} /> : when[form](moment)}
    </time>
  );
}

function Ago({ moment }: { moment: Date }) {
  return ago(moment, useNow());
}

/** Text that is there to be copied, an ARN for instance. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<number>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return; // Without the right to write the clipboard, the text can still be selected.
    }
    setCopied(true);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <span className="copyable">
      <code>{text}</code>
      <button
        type="button"
        className="icon-button"
        aria-label={copied ? `${label} copied` : `Copy ${label}`}
        onClick={copy}
      >
        {copied ? <Check aria-hidden size={14} /> : <Copy aria-hidden size={14} />}
      </button>
    </span>
  );
}

/** Names and what they are. */
export function Facts({ of }: { of: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A number that a view leads with. */
export function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  tone?: Tone;
}) {
  return (
    <div className={`figure${tone ? ` ${tone}` : ""}`}>
      <dt>{label}</dt>
      <dd className="value">{value}</dd>
      <dd className="soft small">{note ?? "\u00a0"}</dd>
    </div>
  );
}

/** Stands where something is being read, in its size. */
export function Skeleton({ lines = 1, of }: { lines?: number; of?: "looks" | "window" | "form" }) {
  return (
    <div className="skeleton" aria-hidden>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a skeleton are all alike
        <span key={line} className={of} />
      ))}
    </div>
  );
}

/** What is said to a screen reader while something is read. */
export function Reading({ what }: { what: string }) {
  return (
    <p className="visually-hidden" role="status">
      Reading {what}…
    </p>
  );
}

interface EmptyProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div className="empty">
      <Icon aria-hidden size={28} strokeWidth={1.5} />
      <p className="empty-title">{title}</p>
      {children && <p className="soft">{children}</p>}
      {action}
    </div>
  );
}
