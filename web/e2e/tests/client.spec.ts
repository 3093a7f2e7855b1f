import { Application, type Shown } from "../pages/application.ts";
import { expect, expectSealed, test, type Watch } from "../pages/watched.ts";
import { decrypted, stored } from "../stack/aws.ts";
import { theStack } from "../stack/stack.ts";

const SECRET = "The garden key is under the blue flowerpot";
const OTHER_SECRET = "sk-8812-quince-marmalade";
const HISTORY = [
  { type: "human", content: `${SECRET}. Grüße 👋` },
  { type: "ai", content: "I shall forget it.", exact: "@12345678901234567890.123", fine: 0.5, nothing: null },
];
const CONFIGURATION = { apiKey: OTHER_SECRET, modelArgs: { temperature: 0.25, stop: ["\n"] } };

test("what a browser encrypts is stored as it was sent, and read by the browser, the API and the SDK alone", async ({
  context,
  watch,
  request,
}) => {
  const session = "from-the-browser";
  const application = await Application.open(context, "alice");
  const created = await application.create(session, { name: "Keys", history: HISTORY, configuration: CONFIGURATION });
  expect(created).toEqual({
    saved: { form: "encrypted", name: "Keys", history: HISTORY, configuration: CONFIGURATION },
  });

  await test.step("it is stored encrypted, as it was sent", async () => {
    const item = await stored("alice", session);
    expect(item).toMatchObject({ is_encrypted: { BOOL: true }, name: { S: "Keys" } });
    expect(Object.keys(item ?? {})).not.toContain("history");
    expect(Object.keys(item ?? {})).not.toContain("configuration");
    expect(JSON.stringify(item)).not.toContain("flowerpot");
    const [sent] = sentSessions(watch);
    expect(sent?.encrypted_history).toBe(item?.encrypted_history?.S);
    expect(sent?.encrypted_configuration).toBe(item?.encrypted_configuration?.S);
  });

  await test.step("another page of the user reads it", async () => {
    const other = await Application.open(context, "alice");
    expect(await other.read(session)).toEqual((created as { saved: Shown }).saved);
  });

  await test.step("nothing of it went over the network in the clear, either way", async () => {
    await expectSealed(watch, ["flowerpot", "marmalade"]);
  });

  await test.step("the API shows it in the clear", async () => {
    const answer = await request.get(`${theStack().api}/session/${session}`, {
      headers: { Authorization: `Bearer ${theStack().tokens.alice}` },
    });
    expect(await answer.text()).toContain('"exact":12345678901234567890.123');
    expect(await answer.json()).toMatchObject({
      history: [{ content: `${SECRET}. Grüße 👋` }, { fine: 0.5, nothing: null }],
      configuration: CONFIGURATION,
    });
  });

  await test.step("the AWS Encryption SDK decrypts it with nothing of ours", async () => {
    expect(await decrypted("alice", session)).toEqual({
      history: {
        L: [
          { M: { type: { S: "human" }, content: { S: `${SECRET}. Grüße 👋` } } },
          {
            M: {
              type: { S: "ai" },
              content: { S: "I shall forget it." },
              exact: { N: "12345678901234567890.123" },
              fine: { N: "0.5" },
              nothing: { NULL: true },
            },
          },
        ],
      },
      configuration: {
        M: {
          apiKey: { S: OTHER_SECRET },
          modelArgs: { M: { temperature: { N: "0.25" }, stop: { L: [{ S: "\n" }] } } },
        },
      },
    });
  });
});

test("what the stack encrypted is read in the browser", async ({ context, request }) => {
  const { api, tokens } = theStack();
  const answer = await request.put(`${api}/session/from-the-server`, {
    headers: { Authorization: `Bearer ${tokens.alice}` },
    data: { history: [{ content: SECRET }] },
  });
  expect(answer.status()).toBe(201);
  const application = await Application.open(context, "alice");
  expect(await application.read("from-the-server")).toEqual({ form: "encrypted", history: [{ content: SECRET }] });
});

test("another user's token neither reads a session nor unwraps its key", async ({ context, watch }) => {
  const session = "of-alice-alone";
  const alice = await Application.open(context, "alice");
  await alice.create(session, { history: [{ content: SECRET }] });
  const { encryptedKey, plaintextKey } = await generatedKey(watch);

  const bob = await Application.open(context, "bob");
  expect(await bob.read(session)).toBeNull();
  const refused = await bob.unwrap(session, encryptedKey, "bob");
  expect(refused).toMatchObject({ status: 400, body: { field: "encryptedKey" } });
  expect(JSON.stringify(refused)).not.toContain(plaintextKey);
  // Not an administrator's either, nor alice's own for another session, and all are told the same.
  expect(await bob.unwrap(session, encryptedKey, "carol")).toEqual(refused);
  expect(await bob.unwrap("another-session", encryptedKey, "alice")).toEqual(refused);
  expect(await bob.unwrap(session, encryptedKey, "alice")).toEqual({ status: 200, body: { plaintextKey } });
});

test("of two tabs that save the same session, the second is told and loses nothing", async ({ context, watch }) => {
  const session = "in-two-tabs";
  const first = await Application.open(context, "alice");
  await first.create(session, { history: [{ content: "One" }] });
  const second = await Application.open(context, "alice");
  await second.read(session);

  const firsts = [{ content: "One" }, { content: `From the first tab: ${SECRET}` }];
  const seconds = [{ content: "One" }, { content: `From the second tab: ${OTHER_SECRET}` }];
  expect(await first.save(session, { history: firsts })).toMatchObject({ saved: { history: firsts } });
  expect(await second.save(session, { history: seconds })).toMatchObject({ conflict: { history: firsts } });
  expect(await first.read(session)).toMatchObject({ history: firsts });

  // Having seen what the first wrote, the second may write.
  await second.read(session);
  expect(await second.save(session, { history: [...firsts, ...seconds.slice(1)] })).toMatchObject({
    saved: { form: "encrypted", history: [...firsts, ...seconds.slice(1)] },
  });
  expect(await second.create(session, { history: [] })).toMatchObject({
    conflict: { history: [...firsts, ...seconds.slice(1)] },
  });
  await expectSealed(watch, ["flowerpot", "marmalade"]);
});

/** Returns what was PUT as a session, in order. */
function sentSessions({ requests }: Watch): Record<string, unknown>[] {
  return requests.filter((request) => request.method() === "PUT").map((request) => request.postDataJSON());
}

/** Returns the API's answer with a new data key. */
async function generatedKey({ requests }: Watch): Promise<{ encryptedKey: string; plaintextKey: string }> {
  const [asked] = requests.filter((request) => request.url().endsWith("/session/encryption/generate-key"));
  const answer = await asked?.response();
  if (!answer) throw new Error("no data key was asked for");
  return answer.json();
}
