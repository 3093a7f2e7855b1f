/**
 * Every view, light and dark, at two widths: nothing that axe calls serious, no sideways scrolling, and a screenshot in
 * `test-results/views/` to look at. Runs last, when the other tests have left something to see.
 */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { address, go, signIn } from "../pages/admin.ts";
import { begin, expectStored, openChat, say } from "../pages/chat.ts";
import { expect, test } from "../pages/watched.ts";
import { put } from "../stack/aws.ts";
import { theStack } from "../stack/stack.ts";

const SCREENSHOTS = new URL("../../test-results/views/", import.meta.url).pathname;
const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [1280, 390];

test("who is signed out", async ({ page }) => {
  await page.goto(address());
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await looked(page, "signed-out");
});

test("the issuer's page", async ({ page }) => {
  await page.goto(address());
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByLabel("User")).toBeVisible();
  await looked(page, "issuer");
});

test("who may not see the rest", async ({ page }) => {
  await signIn(page, "alice", { administrator: false });
  await expect(page.getByRole("heading", { name: "For administrators only" })).toBeVisible();
  await looked(page, "refused");
});

test("who is signed in", async ({ page }) => {
  test.setTimeout(360_000);
  await signIn(page, "carol");
  for (const view of ["Overview", "Migration", "Keys", "Failures", "Audit"]) {
    await test.step(view, async () => {
      await go(page, view);
      await read(page);
      await looked(page, view.toLowerCase());
    });
  }
  await test.step("Report", async () => {
    await page.getByRole("link", { name: "Report" }).click();
    await read(page);
    await looked(page, "report");
  });
  await test.step("a sweep", async () => {
    await go(page, "Migration");
    const verification = page.getByRole("row").filter({ hasText: "Verify, deep" }).filter({ hasText: "Done" });
    await verification.getByRole("link").click();
    await expect(page.getByRole("heading", { name: "Segments" })).toBeVisible();
    await read(page);
    await looked(page, "sweep");
  });
  await test.step("a sweep that runs", async () => {
    // Enough for it to run while it is looked at.
    await put(
      Array.from({ length: 300 }, (_, number) => ({ sessionId: { S: `seen-${number}` }, userId: { S: "erin" } })),
    );
    await go(page, "Migration");
    await page.getByRole("radio", { name: "Verify" }).click();
    await page.getByLabel("Items a second, at most", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Start verifying" }).click();
    await expect(page.getByText("What limits its rate: its ceiling.")).toBeVisible();
    await looked(page, "sweep-running");
    await page.getByRole("button", { name: "Pause" }).click();
    await expect(page.getByRole("button", { name: "Resume" })).toBeVisible();
    await page.getByRole("button", { name: "Rate…" }).click();
    await looked(page, "rate");
    await page.getByRole("button", { name: "Not now" }).click();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByLabel("Type cancel to confirm").fill("cancel");
    await page.getByRole("button", { name: "Cancel the sweep" }).click();
    await expect(page.getByRole("alertdialog")).toBeHidden();
  });
  await test.step("a question before something is done", async () => {
    await go(page, "Overview");
    await page.getByRole("button", { name: "Switch off…" }).click();
    await page.getByLabel("Type switch-off to confirm").fill("switch-off");
    await looked(page, "switch-off");
    await page.getByRole("button", { name: "Not now" }).click();
  });
  await test.step("no such view", async () => {
    await page.evaluate(() => {
      window.location.hash = "#/nowhere";
    });
    await expect(page.getByText("There is no such view")).toBeVisible();
    await looked(page, "not-found");
  });
});

test("the example chat", async ({ page, context }) => {
  test.setTimeout(180_000);
  await page.goto(theStack().chat);
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await looked(page, "chat-signed-out");
  await openChat(page, "frank");
  await looked(page, "chat-nothing-open");
  const conversation = await begin(page);
  await say(page, "What is in season in November?");
  await expectStored(page, 2);
  await page.getByText("What the server holds").click();
  await expect(page.getByRole("term").filter({ hasText: "encrypted_history" })).toBeVisible();
  await looked(page, "chat");
  const other = await context.newPage();
  await openChat(other, "frank", conversation);
  await expectStored(other, 2);
  await say(other, "Quinces?");
  await expectStored(other, 4);
  await say(page, "Pears?");
  await expect(page.getByRole("alert", { name: "Conflict" })).toBeVisible();
  await looked(page, "chat-conflict");
});

test("who is signed in no more, and a service that does not answer", async ({ page, watch }) => {
  watch.expected.push(/^Failed to load resource: net::ERR_FAILED/);
  await signIn(page, "carol");
  await go(page, "Overview");
  await page.route(`${theStack().api}/admin/api/**`, (route) => route.abort());
  await go(page, "Audit");
  await expect(page.getByText("The actions could not be read")).toBeVisible();
  await looked(page, "not-answered");
  await page.unroute(`${theStack().api}/admin/api/**`);
  await page.route(`${theStack().api}/admin/api/**`, (route) => route.fulfill({ status: 401, body: "{}" }));
  await page.route(`${theStack().issuer}/token`, (route) => route.abort());
  await expect(page.getByRole("heading", { name: "Your sign-in has expired" })).toBeVisible({ timeout: 60_000 });
  await looked(page, "expired");
});

/** Waits until a view shows what it reads. */
async function read(page: Page): Promise<void> {
  await expect(page.locator("main .skeleton")).toHaveCount(0);
  await expect(page.getByRole("alert")).toHaveCount(0);
}

/** Looks at what a page shows, in both schemes and at both widths. */
async function looked(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      const label = `${name}-${width}-${colorScheme}`;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: heightOf(width) });
      // As high as the page: in a screenshot of more than is seen, what is fixed stands in the middle.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, heightOf(width)) });
      await page.screenshot({ path: `${SCREENSHOTS}${label}.png`, animations: "disabled" });
      const aside = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(aside, `${label}: scrolls sideways`).toBeLessThanOrEqual(0);
      expect(await cutOff(page), `${label}: cannot be seen whole`).toEqual([]);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(
        grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`),
        label,
      ).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 1280, height: heightOf(1280) });
}

const heightOf = (width: number) => (width < 600 ? 844 : 900);

/** Returns the controls that stand beyond an edge. */
function cutOff(page: Page): Promise<string[]> {
  return page.locator("a, button:not(.skip), [role=button]").evaluateAll((controls) =>
    controls
      .filter((control) => {
        const { left, right } = control.getBoundingClientRect();
        return left < 0 || right > window.innerWidth;
      })
      .map((control) => control.textContent ?? ""),
  );
}
