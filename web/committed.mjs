/** Builds a page anew and fails where that is not what is committed: `node ../committed.mjs FOLDER` in its workspace. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "vite";

const committed = process.argv[2];
const anew = await mkdtemp(join(tmpdir(), "build-"));
try {
  await build({ logLevel: "error", build: { outDir: anew, emptyOutDir: true } });
  const [is, was] = [await filesIn(anew), await filesIn(committed)];
  const differ = [...new Set([...is.keys(), ...was.keys()])].filter((name) => is.get(name) !== was.get(name)).sort();
  if (differ.length > 0) {
    console.error(`${committed} is not what its sources make (npm run build): ${differ.join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  await rm(anew, { recursive: true });
}

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [relative(folder, path), await readFile(path, "latin1")])),
  );
}
