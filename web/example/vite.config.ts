import { readFile } from "node:fs/promises";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const STACK = `${import.meta.dirname}/../../.local/stack.json`;

/** Serves in development what the local stack serves beside the build: where the API and the issuer are. */
function localStack(): Plugin {
  return {
    name: "local-stack",
    configureServer(server) {
      server.middlewares.use("/config.json", async (_, response) => {
        try {
          const { example } = JSON.parse(await readFile(STACK, "utf8"));
          response.setHeader("Content-Type", "application/json");
          response.end(JSON.stringify(example.config));
        } catch {
          response.statusCode = 503;
          response.end("No local stack is running: python -m local up");
        }
      });
    },
  };
}

export default defineConfig({
  plugins: [react(), localStack()],
  server: { host: "127.0.0.1" },
  build: {
    outDir: "../../local/example/static",
    emptyOutDir: true,
    // The content security policy has no data: for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome123", "edge123", "firefox121", "safari17.5"],
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "vendor", test: /node_modules\/(react|scheduler|oidc)/ }] } },
    },
  },
});
