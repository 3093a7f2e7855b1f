/** Builds the client as an application's bundler would, in memory. */
import { build } from "vite";

export async function chunks() {
  const { output } = await build({
    root: new URL("..", import.meta.url).pathname,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      rollupOptions: {
        input: "src/index.ts",
        preserveEntrySignatures: "strict",
        output: { format: "es", entryFileNames: "client.js", chunkFileNames: "[name]-[hash].js" },
      },
      modulePreload: false,
    },
  });
  return output.filter((file) => file.type === "chunk");
}
