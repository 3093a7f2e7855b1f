/** Starts `python -m local up` with the production builds, for all tests, and stops it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { serveApplication } from "./application.ts";
import { PYTHON, python, ROOT } from "./python.ts";
import { announce, SIGN_IN_LIFETIME, type Stack, USERS, type UserName } from "./stack.ts";

const PATIENCE = 180_000;

export default async function up(): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "e2e-"));
  const application = await serveApplication();
  const options = ["--port", "0", "--state-directory", directory, "--sign-in-lifetime", String(SIGN_IN_LIFETIME)];
  const examplePort = await freePort();
  options.push("--example-port", String(examplePort));
  options.push("--parameter", `AllowedOrigins=${application.origin},http://127.0.0.1:${examplePort}`);
  // What an administrator has switched holds for the very next write.
  options.push("--parameter", "SettingCacheSeconds=0");
  const running = spawn(PYTHON, ["-m", "local", "up", ...options], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  running.stdout.on("data", (text) => said.push(String(text)));
  running.stderr.on("data", (text) => said.push(String(text)));
  const down = async () => {
    application.stop();
    await stopped(running);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const stack = { ...(await started(running, directory)), application: application.origin };
    application.allow(stack.api);
    announce(stack);
  } catch (error) {
    await down();
    throw new Error(`${error}\n${said.join("")}`);
  }
  return down;
}

async function started(running: ChildProcess, directory: string): Promise<Omit<Stack, "application">> {
  const announcement = join(directory, "stack.json");
  const deadline = Date.now() + PATIENCE;
  while (!existsSync(announcement)) {
    if (running.exitCode !== null) throw new Error("The stack did not start.");
    if (Date.now() > deadline) throw new Error("The stack takes too long to start.");
    await pause(200);
  }
  const announced = JSON.parse(readFileSync(announcement, "utf8"));
  const tokens = {} as Stack["tokens"];
  for (const [name, of] of Object.entries(USERS)) {
    const group = "admin" in of ? ["--admin"] : [];
    tokens[name as UserName] = await python("-m", "local", "token", name, "--state-directory", directory, ...group);
  }
  return {
    directory,
    endpoint: announced.endpoint_url,
    region: announced.region,
    api: announced.api_url,
    issuer: announced.issuer_url,
    chat: announced.example.url,
    outputs: announced.outputs,
    tokens,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function stopped(running: ChildProcess): Promise<void> {
  if (running.exitCode !== null) return;
  const end = once(running, "exit");
  running.kill("SIGTERM");
  const late = setTimeout(() => running.kill("SIGKILL"), 30_000);
  await end;
  clearTimeout(late);
}
