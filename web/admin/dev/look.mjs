/**
 * Looks at every view of the production build in Chromium: takes screenshots at two widths in both schemes, and fails on
 * a violation of the content security policy, an error in the console, a serious finding of axe, or sideways scrolling.
 *
 *     node dev/look.mjs [FOLDER] [PART OF A NAME] [light,dark]
 */

import { mkdir } from "node:fs/promises";

import { chromium } from "@playwright/test";
import axe from "axe-core";

import { serve } from "./serve.mjs";

const [folder = "look", only = "", schemes = "light,dark"] = process.argv.slice(2);
const PORT = 4181;
const PAGE = `http://127.0.0.1:${PORT}/admin`;
const WIDTHS = (process.env.WIDTHS ?? "1280,390").split(",").map(Number);

/** Name, scenario, view, and what is done before looking. */
const VIEWS = [
  ["signed-out", "quiet", null],
  ["overview", "quiet", "/"],
  ["overview-running", "running", "/"],
  ["overview-off", "off", "/"],
  ["overview-canary", "canary", "/"],
  [
    "canary-switch",
    "canary",
    "/",
    async (page) => {
      await page.getByRole("button", { name: "Change the part…" }).click();
      await page.getByRole("radio", { name: "Listed keys" }).click();
    },
  ],
  ["canary-sweep", "canary", "/migration", (page) => first(page)],
  ["overview-empty", "empty", "/"],
  ["overview-table", "quiet", "/", (page) => page.getByRole("button", { name: "Table" }).first().click()],
  ["down", "down", "/"],
  ["loading", "slow", "/"],
  [
    "switch-off",
    "quiet",
    "/",
    async (page) => {
      await page.getByRole("button", { name: "Switch off…" }).click();
      await page.getByLabel(/Type switch-off/).fill("switch-off");
    },
  ],
  [
    "switch-conflict",
    "conflict",
    "/",
    async (page) => {
      await page.getByRole("button", { name: "Switch off…" }).click();
      await page.getByLabel(/Type switch-off/).fill("switch-off");
      await page.getByRole("button", { name: "Switch off", exact: true }).click();
      await page.getByRole("button", { name: "Decide anew" }).waitFor();
    },
  ],
  ["migration", "quiet", "/migration"],
  ["migration-off", "off", "/migration"],
  ["migration-empty", "empty", "/migration"],
  [
    "migration-refused",
    "paused",
    "/migration",
    async (page) => {
      await page.request.post(`http://127.0.0.1:${PORT}/dev/scenario/running`);
      await page.getByRole("button", { name: /Start encrypting/ }).click();
      await page.getByRole("button", { name: "Start all the same…" }).waitFor();
    },
  ],
  [
    "decrypt",
    "off",
    "/migration",
    async (page) => {
      await page.getByRole("radio", { name: "Decrypt" }).click();
      await page.getByRole("button", { name: "Decrypt the table…" }).click();
    },
  ],
  ["sweep-running", "running", "/migration", (page) => first(page)],
  ["sweep-paused", "paused", "/migration", (page) => first(page)],
  ["sweep-verify", "quiet", "/migration", (page) => first(page)],
  ["keys", "quiet", "/keys"],
  ["keys-empty", "empty", "/keys"],
  ["failures", "failures", "/failures"],
  ["failures-none", "quiet", "/failures"],
  [
    "discard",
    "failures",
    "/failures",
    async (page) => {
      await page
        .getByRole("button", { name: /Discard the letter/ })
        .first()
        .click();
      await page.getByLabel("Reason").fill("A leftover of the load test");
    },
  ],
  [
    "redriven",
    "failures",
    "/failures",
    async (page) => {
      await page.getByRole("button", { name: "Try again…" }).click();
      await page.getByRole("button", { name: "Try again", exact: true }).click();
      await page.getByText("settled, 2 failed again").waitFor();
    },
  ],
  ["audit", "quiet", "/audit"],
  ["report", "quiet", "/report"],
  ["report-none", "empty", "/report"],
  ["not-found", "quiet", "/nowhere"],
  ["outsider", "outsider", "/"],
  [
    "expired",
    "short",
    "/",
    async (page) => {
      await page.getByRole("heading", { name: "Your sign-in has expired" }).waitFor({ timeout: 40_000 });
    },
  ],
  [
    "account",
    "quiet",
    "/",
    async (page) => {
      if (page.viewportSize().width < 900) await page.getByRole("button", { name: "Account and appearance" }).click();
    },
  ],
];

async function first(page) {
  await page.getByRole("table", { name: "Sweeps" }).getByRole("link").first().click();
  await page.getByRole("heading", { name: "Segments" }).waitFor();
}

const server = await serve(PORT);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
await mkdir(folder, { recursive: true });
const problems = [];
for (const [name, scenario, view, act] of VIEWS) {
  if (!only.split(",").some((part) => name.includes(part))) continue;
  for (const scheme of schemes.split(",")) {
    for (const width of WIDTHS) {
      const label = `${name}-${width}-${scheme}`;
      const context = await browser.newContext({
        viewport: { width, height: width < 600 ? 844 : 900 },
        colorScheme: scheme,
        reducedMotion: "reduce",
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
      });
      const page = await context.newPage();
      await page.addInitScript(() => {
        window.__violations = [];
        document.addEventListener("securitypolicyviolation", (event) => {
          window.__violations.push(
            `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
          );
        });
      });
      page.on("pageerror", (error) => problems.push(`${label}: ${error}`));
      page.on("console", (message) => {
        const expected = /status of (401|403|404|409|503)/;
        if (message.type() === "error" && !expected.test(message.text()))
          problems.push(`${label}: console: ${message.text()}`);
      });
      try {
        await page.request.post(`http://127.0.0.1:${PORT}/dev/scenario/${scenario}`);
        await page.goto(PAGE);
        if (view) {
          await page.getByRole("button", { name: "Sign in" }).click();
          await page.locator("#main, .door-icon").first().waitFor();
          if (view !== "/") await page.evaluate((to) => (window.location.hash = `#${to}`), view);
          if (scenario !== "slow") await page.locator("main .skeleton").first().waitFor({ state: "detached" });
          await page.waitForTimeout(scenario === "running" ? 4500 : 200);
          await act?.(page);
          await page.waitForTimeout(scenario === "running" ? 2500 : 300);
        }
        await page.screenshot({
          path: `${folder}/${label}.png`,
          fullPage: !act || name.startsWith("sweep") || name === "redriven",
        });
        for (const violation of await page.evaluate(() => window.__violations))
          problems.push(`${label}: policy: ${violation}`);
        const aside = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (aside > 0) problems.push(`${label}: scrolls sideways by ${aside}`);
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        for (const { id, impact, nodes } of violations) {
          problems.push(
            `${label}: axe ${impact} ${id}: ${nodes
              .map((node) => node.target.join(" "))
              .slice(0, 3)
              .join(" | ")} ${nodes[0]?.failureSummary?.split("\n")[1] ?? ""}`,
          );
        }
      } catch (error) {
        problems.push(`${label}: ${error.message.split("\n").slice(0, 3).join(" ")}`);
        await page.screenshot({ path: `${folder}/${label}.png` });
      }
      await context.close();
    }
  }
  console.log(name);
}
await browser.close();
server.close();
console.log(problems.join("\n") || "nothing found");
process.exitCode = problems.length ? 1 : 0;
