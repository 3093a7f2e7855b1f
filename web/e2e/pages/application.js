/**
 * What runs in the application's page, for the tests to call: a client, and the session that it saw last.
 *
 * Values come and go as JSON, in which the text `@12` stands for the exact number 12.
 */
import { ConflictError, DynamoNumber, SessionClient } from "/client.js";

let client;
let seen;

window.application = {
  signIn(api, token) {
    client = new SessionClient({ api, token: () => token });
  },

  async read(sessionId) {
    seen = await client.read(sessionId);
    return shown(seen);
  },

  /** Saves on what was seen last; null is what there must not be. */
  async save(sessionId, changes, isNew) {
    const exact = JSON.parse(JSON.stringify(changes), (_, value) =>
      typeof value === "string" && value.startsWith("@") ? new DynamoNumber(value.slice(1)) : value,
    );
    try {
      seen = await client.save(sessionId, exact, { base: isNew ? null : seen });
      return { saved: shown(seen) };
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return { conflict: shown(error.current) };
    }
  },

  /** What the client asks the API for with a data key, asked for anything. */
  async unwrap(sessionId, encryptedKey, api, token) {
    const answer = await fetch(`${api}/session/encryption/decrypt-key`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ sessionId, encryptedKey }),
    });
    return { status: answer.status, body: await answer.json() };
  },
};

function shown(session) {
  if (!session) return null;
  const { form, name, history, configuration } = session;
  return JSON.parse(
    JSON.stringify({ form, name, history, configuration }, (_, value) =>
      value instanceof DynamoNumber ? `@${value.text}` : value,
    ),
  );
}
