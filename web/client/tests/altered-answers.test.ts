/** An answer that was altered on the way: plaintext where ciphertext was is never shown as encrypted. */
import { beforeEach, describe, expect, it } from "vitest";
import { SessionClient, type Value } from "../src/index.js";
import { FakeServer, json } from "./fake-server.js";

let server: FakeServer;
let client: SessionClient;

beforeEach(() => {
  server = new FakeServer();
  client = new SessionClient({ api: server.api, token: () => "token", fetch: server.fetch });
});

/** Puts `history` in the clear into every answer that shows a session, and leaves the word for the form. */
function alter(history: Value): void {
  server.after = async ({ path }, response) => {
    if (!path.startsWith("/session/s1")) return response;
    const { form, session } = (await response.json()) as { form: string; session: Record<string, Value> };
    const { encrypted_history: _, ...others } = session;
    return json(response.status, { form, session: { ...others, history } }, { ETag: '"x"' });
  };
}

describe("a value in the clear in an answer that calls itself encrypted", () => {
  it("is not shown as one that was encrypted, when read and when saved", async () => {
    await client.save("s1", { history: ["mine"], configuration: { model: "m" } });
    alter(["theirs"]);

    const read = await client.read("s1");
    const saved = await client.save("s1", { history: ["mine again"] });

    expect([read, saved]).toMatchObject([{ form: "plaintext" }, { form: "plaintext" }]);
  });

  it("leaves one with nothing but ciphertexts as it is", async () => {
    const saved = await client.save("s1", { configuration: { model: "m" } });

    expect([saved.form, (await client.read("s1"))?.form]).toEqual(["encrypted", "encrypted"]);
  });
});
