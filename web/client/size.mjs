/** Builds the client as an application would, and fails where it is over its budget: what a user downloads, gzipped. */
import { gzipSync } from "node:zlib";
import { build } from "vite";

const BUDGET = 65_000; // Bytes of all the client's chunks; issue 8.
const FIRST = 10_000; // Bytes of what loads before the first message.

const { output } = await build({
  root: import.meta.dirname,
  configFile: false,
  logLevel: "error",
  build: {
    write: false,
    rollupOptions: { input: "src/index.ts", preserveEntrySignatures: "strict", output: { format: "es" } },
    modulePreload: false,
  },
});

const chunks = output
  .filter((file) => file.type === "chunk")
  .map((chunk) => ({ name: chunk.fileName, first: chunk.isEntry, size: gzipSync(chunk.code, { level: 9 }).length }));
const total = chunks.reduce((sum, { size }) => sum + size, 0);
const first = chunks.filter((chunk) => chunk.first).reduce((sum, { size }) => sum + size, 0);
for (const { name, size } of chunks) console.log(`${String(size).padStart(7)} ${name}`);
console.log(`${String(total).padStart(7)} of ${BUDGET} bytes gzipped; before the first message ${first} of ${FIRST}`);
if (total > BUDGET || first > FIRST || first === 0) {
  console.error("The client is over its size budget.");
  process.exit(1);
}
