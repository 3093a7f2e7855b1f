/** What a conversation is made of, and what the assistant says: pure. */
import type { Session, SessionChanges, Value } from "@dynamodb-stream-encryptor/client";

export interface Message {
  author: "you" | "assistant";
  text: string;
}

/** Returns the messages of a session; what is none, or was written by another application, is left out. */
export function messagesOf(session: Session | undefined): Message[] {
  return historyOf(session).flatMap((entry) => {
    const { type, content } = (entry ?? {}) as { type?: Value; content?: Value };
    return typeof content === "string" ? [{ author: type === "human" ? "you" : "assistant", text: content }] : [];
  });
}

/**
 * Returns a save that adds what the user says and what the assistant answers to a session, whatever is in it by then.
 *
 * @param name what a new conversation is called. It stays readable where it is stored, so nothing of the text is in it.
 */
export function turn(text: string, name: string): (seen: Session | undefined) => SessionChanges {
  return (seen) => ({
    ...(seen ? {} : { name, configuration: { assistant: "echo" } }),
    history: [...historyOf(seen), { type: "human", content: text }, { type: "ai", content: echo(text) }],
  });
}

/** An assistant that runs here and knows little. */
function echo(text: string): string {
  const words = text.split(/\s+/).length;
  return `You said “${text}”, which is ${words === 1 ? "one word" : `${words} words`}. I only repeat what I hear.`;
}

function historyOf(session: Session | undefined): Value[] {
  return Array.isArray(session?.history) ? session.history : [];
}
