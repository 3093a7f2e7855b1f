/** Fails where the client is over its budget: what a user downloads, gzipped. */
import { gzipSync } from "node:zlib";
import { chunks } from "./chunks.mjs";

const BUDGET = 65_000; // Bytes of all the client's chunks.
const FIRST = 10_000; // Bytes of what loads before the first message.

const sizes = (await chunks()).map((chunk) => ({
  name: chunk.fileName,
  first: chunk.isEntry,
  size: gzipSync(chunk.code, { level: 9 }).length,
}));
const sum = (files) => files.reduce((total, { size }) => total + size, 0);
const total = sum(sizes);
const first = sum(sizes.filter((file) => file.first));
for (const { name, size } of sizes) console.log(`${String(size).padStart(7)} ${name}`);
console.log(`${String(total).padStart(7)} of ${BUDGET} bytes gzipped; before the first message ${first} of ${FIRST}`);
if (total > BUDGET || first > FIRST || first === 0) {
  console.error("The client is over its size budget.");
  process.exit(1);
}
