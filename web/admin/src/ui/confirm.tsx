/** A dialog that asks before something is done, and stays until it is, or says why it is not. */

import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Field } from "@base-ui/react/field";
import { type ReactNode, type SubmitEvent, useState } from "react";

import { NotAdministrator, NotSignedIn } from "../api/errors";
import { useRefused } from "../resource";
import { Button } from "./parts";
import { Problem } from "./problem";

interface ConfirmProps {
  open: boolean;
  close: () => void;
  title: string;
  /** What follows from it. */
  children: ReactNode;
  /** What has to be typed first, for what cannot be taken back. */
  word?: string;
  /** The button's words. */
  does: string;
  danger?: boolean;
  /** Whether what else is asked for in the dialog is there. */
  ready?: boolean;
  /** Does it; closes the dialog by itself where that was all. */
  act: () => Promise<void>;
  /** Shows an error in its own way, or returns null for the usual one. */
  explain?: (error: Error) => ReactNode;
}

export function Confirm(props: ConfirmProps) {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={(open) => !open && props.close()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Viewport className="dialog-place">
          <AlertDialog.Popup className="dialog">
            <Content {...props} />
          </AlertDialog.Popup>
        </AlertDialog.Viewport>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function Content({ title, children, word, does, danger = false, ready = true, act, close, explain }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const refused = useRefused();
  const confirmed = ready && (word === undefined || typed.trim() === word);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    event.stopPropagation(); // React would hand it to a form that the dialog was opened from.
    if (!confirmed || busy) return;
    setBusy(true);
    setError(null);
    try {
      await act();
      close();
    } catch (thrown) {
      if (thrown instanceof NotSignedIn || thrown instanceof NotAdministrator) return refused(thrown);
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit} className="stack">
      <AlertDialog.Title className="dialog-title">{title}</AlertDialog.Title>
      <AlertDialog.Description render={<div />} className="stack">
        {children}
      </AlertDialog.Description>
      {word !== undefined && (
        <Field.Root className="field">
          <Field.Label>
            Type <code>{word}</code> to confirm
          </Field.Label>
          <Field.Control
            className="input"
            value={typed}
            onValueChange={setTyped}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
        </Field.Root>
      )}
      {error && (explain?.(error) ?? <Problem title="It was not done" error={error} />)}
      <div className="dialog-actions">
        <AlertDialog.Close render={<Button />}>Not now</AlertDialog.Close>
        <Button type="submit" look={danger ? "danger" : "primary"} disabled={!confirmed} busy={busy}>
          {does}
        </Button>
      </div>
    </form>
  );
}
