import { DynamoNumber, type Session, type Value } from "@dynamodb-stream-encryptor/client";
import { expect, it } from "vitest";
import { messagesOf, turn } from "../src/messages";

const EMPTY: Session = { sessionId: "s1", userId: "alice", etag: '"1"', form: "encrypted", attributes: {} };

it("adds what is said and what is answered to whatever is there, and leaves the name alone", () => {
  const seen = { ...EMPTY, name: "Old", history: ["of another application"] };
  const { name, configuration, history } = turn("One two", "New")(seen);
  expect([name, configuration]).toEqual([undefined, undefined]);
  expect(history?.[0]).toBe("of another application");
  expect(messagesOf({ ...seen, history: history ?? [] })).toEqual([
    { author: "you", text: "One two" },
    { author: "assistant", text: "You said “One two”, which is 2 words. I only repeat what I hear." },
  ]);
});

it("gives a new conversation a name that tells nothing of the text, since it stays readable", () => {
  const { name, history } = turn("Secret", "Chat of today")(undefined);
  expect(name).toBe("Chat of today");
  expect(history).toHaveLength(2);
});

it("shows messages only, whatever the history holds", () => {
  const odd: Value[] = [
    null,
    1,
    "text",
    [],
    {},
    { type: "human" },
    { content: new DynamoNumber("1") },
    new Uint8Array(1),
  ];
  expect(messagesOf(undefined)).toEqual([]);
  expect(messagesOf({ ...EMPTY, history: { not: "a list" } })).toEqual([]);
  expect(messagesOf({ ...EMPTY, history: [...odd, { type: "ai", content: "Yes." }] })).toEqual([
    { author: "assistant", text: "Yes." },
  ]);
});
