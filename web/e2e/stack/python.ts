/** The project's Python: the stack itself, and what looks at it from outside. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export const ROOT = join(import.meta.dirname, "../../..");
const OWN = join(ROOT, ".venv/bin/python");

/** The interpreter that has the project's requirements. */
export const PYTHON = process.env.PYTHON ?? (existsSync(OWN) ? OWN : "python3");

/** Returns what a program of Python's prints. */
export async function python(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
