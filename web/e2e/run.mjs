/** Runs the tests in a browser where there is one, and says so where there is none. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const found = NAMES.flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)));
const executable = process.env.CHROMIUM ?? found.find((path) => existsSync(path));
if (!executable || !existsSync(executable)) {
  console.log("There is no Chromium (name one with CHROMIUM=): the tests in a browser ARE NOT RUN");
} else {
  const { status } = spawnSync("playwright", ["test", ...process.argv.slice(2)], {
    cwd: import.meta.dirname,
    env: { ...process.env, CHROMIUM: executable },
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
