/** The stack as AWS clients see it, by way of `aws.py`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { PYTHON, ROOT } from "./python.ts";
import { theStack } from "./stack.ts";

/** DynamoDB JSON. */
export type Item = Record<string, Record<string, unknown>>;

/** Returns the item of a session as the table has it, or null. */
export const stored = (user: string, session: string): Promise<Item | null> => aws("stored", [table(), user, session]);

/** Returns a session's encrypted attributes as the AWS Encryption SDK decrypts them, by name. */
export const decrypted = (user: string, session: string): Promise<Item> =>
  aws("decrypted", [table(), theStack().outputs.KeyArn as string, user, session]);

/** Puts items, as a writer does that knows nothing of encryption. */
export const put = (items: Item[]): Promise<null> => aws("put", [table()], JSON.stringify(items));

/** Returns how many of the items whose session id begins with `prefix` are encrypted, and how many are not. */
export const states = (prefix: string): Promise<{ encrypted: number; plaintext: number }> =>
  aws("states", [table(), prefix]);

/** Switches the mapping of the table's stream. */
export const switchStream = (state: "on" | "off"): Promise<null> =>
  aws("stream", [theStack().outputs.TableStreamArn as string, state]);

function table(): string {
  return theStack().outputs.TableName as string;
}

async function aws<Answer>(command: string, args: string[], input = ""): Promise<Answer> {
  const { endpoint, region } = theStack();
  const program = join(import.meta.dirname, "aws.py");
  const running = spawn(PYTHON, [program, endpoint, region, command, ...args], {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said: string[] = [];
  running.stdout.setEncoding("utf8").on("data", (text) => said.push(text));
  running.stdin.end(input);
  const [code] = await once(running, "close");
  if (code !== 0) throw new Error(`aws.py ${command}: exit code ${code}`);
  return JSON.parse(said.join(""));
}
