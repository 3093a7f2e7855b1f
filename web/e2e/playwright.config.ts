import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  outputDir: "../test-results",
  globalSetup: "./stack/up.ts",
  workers: 2,
  fullyParallel: false,
  // One stack for all. What switches encryption, sweeps the table or needs it to be on goes one after the other; who only
  // signs in and out, and waits for tokens to expire, is beside that; the views come when there is something to see.
  projects: [
    {
      name: "stack",
      testMatch: /(chat|client|failures|keyboard|migration|switch|watched)\.spec/,
      testIgnore: /views/,
      workers: 1,
    },
    { name: "signing in", testMatch: /(sign-in|views-signed-out)\.spec/, workers: 1 },
    { name: "views", testMatch: /views(-chat)?\.spec/, dependencies: ["stack"] },
  ],
  // A slow machine takes its time, and nobody waits for what is there already.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  globalTimeout: 1_500_000,
  forbidOnly: true,
  reporter: "list",
  use: {
    browserName: "chromium",
    headless: true,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Chromium's sandbox refuses to run as root, as in most build containers.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
    viewport: { width: 1280, height: 900 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    actionTimeout: 60_000,
    screenshot: "only-on-failure",
  },
});
