/** What is in the way, and how to go on. */
import { ClientError, DecryptionError, NotAuthorizedError, UnavailableError } from "@dynamodb-stream-encryptor/client";
import type { SessionConflict } from "@dynamodb-stream-encryptor/react";
import { Icon } from "./icons";
import { messagesOf } from "./messages";

interface ConflictProps {
  conflict: SessionConflict;
  busy: boolean;
  onKeepBoth: () => void;
  onDiscard: () => void;
}

export function ConflictNotice({ conflict: { current }, busy, onKeepBoth, onDiscard }: ConflictProps) {
  const last = messagesOf(current).at(-2)?.text;
  return (
    <section className="notice warn" role="alert" aria-label="Conflict">
      <Icon name="warning" />
      <div>
        <p>
          <strong>
            {current
              ? "This conversation was changed in another tab."
              : "This conversation was deleted in another tab."}
          </strong>{" "}
          Your message was not saved.
        </p>
        {last && <p className="quote">There it says last: “{last}”</p>}
        <div className="actions">
          <button type="button" className="button primary" disabled={busy} onClick={onKeepBoth}>
            Add my message to it
          </button>
          <button type="button" className="button plain" disabled={busy} onClick={onDiscard}>
            Discard my message
          </button>
        </div>
      </div>
    </section>
  );
}

interface ProblemProps {
  error: Error;
  /** Whether the conversation is shown, so that it was saving that failed, or reading it again. */
  wasRead: boolean;
  onAgain: () => void;
  onSignIn: () => void;
}

export function ProblemNotice({ error, wasRead, onAgain, onSignIn }: ProblemProps) {
  const signInHelps = error instanceof NotAuthorizedError || !(error instanceof ClientError);
  return (
    <section className="notice bad" role="alert" aria-label="Problem">
      <Icon name="warning" />
      <div>
        <p>
          <strong>{wasRead ? "That did not work." : "This conversation cannot be shown."}</strong> {sentence(error)}
        </p>
        <div className="actions">
          {signInHelps && (
            <button type="button" className="button primary" onClick={onSignIn}>
              Sign in again
            </button>
          )}
          <button type="button" className="button plain" onClick={onAgain}>
            {wasRead ? "Read it again" : "Try again"}
          </button>
        </div>
      </div>
    </section>
  );
}

function sentence(error: Error): string {
  if (error instanceof DecryptionError)
    return "What is stored was altered, or was not written for you. Nothing of it is shown.";
  if (error instanceof NotAuthorizedError) return "The API does not accept your sign-in any more.";
  if (error instanceof UnavailableError) {
    const when = error.retryAfter === undefined ? "" : ` Try again in ${error.retryAfter} s.`;
    return `${error.message}${error.outcomeUnknown ? " Your message may have been saved: sending it again is safe." : ""}${when}`;
  }
  return error.message;
}
