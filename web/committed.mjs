/** Builds again what is committed as built, elsewhere, and compares: what is served is what the sources say. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "vite";

const BUILT = { admin: "functions/admin_page/static", example: "local/example/static" };
const ROOT = join(import.meta.dirname, "..");

const wrong = [];
for (const [workspace, folder] of Object.entries(BUILT)) {
  const anew = await mkdtemp(join(tmpdir(), `${workspace}-`));
  try {
    await build({
      root: join(import.meta.dirname, workspace),
      logLevel: "error",
      build: { outDir: anew, emptyOutDir: true },
    });
    const [made, committed] = [await files(anew), await files(join(ROOT, folder))];
    for (const name of new Set([...made.keys(), ...committed.keys()])) {
      if (!made.get(name)?.equals(committed.get(name) ?? Buffer.alloc(0))) wrong.push(`${folder}/${name}`);
    }
  } finally {
    await rm(anew, { recursive: true });
  }
}
if (wrong.length > 0) {
  console.error(`Not as the sources build it, so build again (make web) and commit:\n${wrong.join("\n")}`);
  process.exitCode = 1;
} else {
  console.log(`What is committed as built is what the sources build: ${Object.values(BUILT).join(", ")}`);
}

async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path)])));
}
