import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { fakeService } from "./dev/vite-plugin.mjs";

export default defineConfig({
  base: "/admin/",
  plugins: [react(), fakeService()],
  build: {
    outDir: "../../functions/admin_page/static",
    emptyOutDir: true,
    // The content security policy has no data: for scripts and fonts, and a file of its own is cached for ever.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: ["chrome123", "edge123", "firefox124", "safari17.5"],
    reportCompressedSize: true,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: "vendor", test: /node_modules/ }] },
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["test/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
