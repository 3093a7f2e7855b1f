/** What went wrong, and what to do about it. */

import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { Refused, Unavailable } from "../api/errors";
import { Button } from "./parts";

/** Returns an error in a sentence or two for a person. */
export function sentence(error: Error): string {
  if (error instanceof Unavailable) {
    return error.outcomeUnknown
      ? `${error.message} It may have been done all the same: look before you try again.`
      : error.message;
  }
  return error instanceof Refused ? error.message : "Something went wrong in this page. Reload it and try again.";
}

interface ProblemProps {
  title: string;
  error?: Error;
  children?: ReactNode;
  retry?: () => void;
  busy?: boolean;
}

export function Problem({ title, error, children, retry, busy = false }: ProblemProps) {
  return (
    <div className="note bad" role="alert">
      <CircleAlert aria-hidden size={18} />
      <div>
        <p className="note-title">{title}</p>
        {error && <p>{sentence(error)}</p>}
        {children}
        {retry && (
          <Button onClick={retry} busy={busy}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

interface NoteProps {
  tone: "info" | "warn" | "good" | "bad";
  title: string;
  icon: ReactNode;
  children?: ReactNode;
}

export function Note({ tone, title, icon, children }: NoteProps) {
  return (
    <div className={`note ${tone}`}>
      {icon}
      <div>
        <p className="note-title">{title}</p>
        {children}
      </div>
    </div>
  );
}
