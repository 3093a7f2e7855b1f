/** One conversation: what was said, whether it is stored encrypted, and what one says next. */
import { useEncryptedSession, useSessionEncryption } from "@dynamodb-stream-encryptor/react";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { StoredBadge } from "./encryption-badge";
import { Icon } from "./icons";
import { messagesOf, turn } from "./messages";
import { ConflictNotice, ProblemNotice } from "./notices";
import type { SignIn } from "./sign-in";
import { Stored } from "./stored";

interface Props {
  sessionId: string;
  api: string;
  signIn: SignIn;
  onSaved: () => void;
}

export function Conversation({ sessionId, api, signIn, onSaved }: Props) {
  const { data, status, save, saving, error, conflict, reload } = useEncryptedSession(sessionId);
  const [draft, setDraft] = useState("");
  const messages = messagesOf(data);
  const end = useRef<HTMLDivElement>(null);
  useSettingThatFits(data?.etag, data?.form);

  // biome-ignore lint/correctness/useExhaustiveDependencies: to the end when there is more to see
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [messages.length, Boolean(conflict || error)]);

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    const text = draft.trim();
    if (!text || !canSend) return;
    setDraft("");
    const saved = await save(turn(text, newName()));
    if (saved) onSaved();
    else setDraft((since) => since || text); // Nothing was saved: it is still the user's to send.
  }

  async function keepBoth(): Promise<void> {
    if (!(await conflict?.overwrite())) return;
    setDraft("");
    onSaved();
  }

  async function discard(): Promise<void> {
    await conflict?.reload();
    setDraft("");
  }

  const canSend = !saving && !conflict && (status === "ready" || status === "absent");
  return (
    <article className="conversation" aria-labelledby="conversation-name">
      <header className="bar">
        <a className="button quiet back" href="#/">
          <Icon name="back" />
          <span className="visually-hidden">All conversations</span>
        </a>
        <h2 id="conversation-name">
          {status === "loading" ? "…" : data ? data.name || "Without a name" : "New conversation"}
        </h2>
        {data && <StoredBadge encrypted={data.form === "encrypted"} />}
      </header>

      <div className="scroll">
        <section className="log" role="log" aria-label="Messages" aria-busy={status === "loading" || saving}>
          {status === "loading" && <p className="soft hint">Decrypting…</p>}
          {status === "absent" && !saving && (
            <p className="soft hint">Say something. It is encrypted here before it leaves this browser.</p>
          )}
          <ol>
            {messages.map(({ author, text }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: messages are only ever added at the end
              <li key={index} className={`message ${author}`}>
                <span className="visually-hidden">{author === "you" ? "You: " : "Assistant: "}</span>
                {text}
              </li>
            ))}
          </ol>
          {status === "absent" && saving && <p className="soft hint">Encrypting and saving…</p>}
        </section>
        {data && <Stored sessionId={sessionId} etag={data.etag} api={api} token={signIn.token} />}
        <div ref={end} />
      </div>

      {(conflict || error) && (
        <div className="notices">
          {conflict && <ConflictNotice conflict={conflict} busy={saving} onKeepBoth={keepBoth} onDiscard={discard} />}
          {error && (
            <ProblemNotice error={error} onAgain={reload} onSignIn={signIn.signIn} wasRead={status !== "error"} />
          )}
        </div>
      )}

      <form className="say" onSubmit={send}>
        <label className="visually-hidden" htmlFor="say">
          Message
        </label>
        <textarea
          id="say"
          rows={2}
          value={draft}
          placeholder="Write a message"
          maxLength={20_000}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={sendOnEnter}
        />
        <button type="submit" className="button primary" disabled={!canSend || !draft.trim()}>
          <Icon name="send" />
          Send
        </button>
        <p className="soft small state" role="status" aria-label="Saving">
          {saving ? "Saving…" : data ? savedAs(data.form) : ""}
        </p>
      </form>
    </article>
  );
}

/** Asks for the setting again where a session was stored otherwise than it says. */
function useSettingThatFits(etag: string | undefined, form: string | undefined): void {
  const { config, reload } = useSessionEncryption();
  const expected = config && (config.enabled ? "encrypted" : "plaintext");
  useEffect(() => {
    if (etag && form && expected && form !== expected) void reload();
  }, [etag, form, expected, reload]);
}

function savedAs(form: "encrypted" | "plaintext"): string {
  return form === "encrypted" ? "Stored encrypted" : "Stored in plaintext: encryption is switched off";
}

function newName(): string {
  const when = new Date().toLocaleString(undefined, {
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
  return `Chat of ${when}`;
}

function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}
