/** Every view of the admin page, when the other tests have left something to see. */
import type { Page } from "@playwright/test";

import { go, signIn } from "../pages/admin.ts";
import { looked } from "../pages/looked.ts";
import { expect, test } from "../pages/watched.ts";
import { put } from "../stack/aws.ts";

test("who is signed in", async ({ page }) => {
  await signIn(page, "carol");
  for (const view of ["Overview", "Migration", "Keys", "Failures", "Audit"]) {
    await test.step(view, async () => {
      await go(page, view);
      await read(page);
      await looked(page, view.toLowerCase());
    });
  }
  await test.step("times are the reader's, with UTC beside them", async () => {
    const time = page.getByRole("main").getByRole("table").locator("time").first();
    const told = (await time.getAttribute("title")) as string;
    expect(told).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    const zone = { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" } as const;
    await expect(time).toContainText(
      new Date(told.replace(" UTC", "Z").replace(" ", "T")).toLocaleTimeString("en-GB", zone),
    );
  });
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
    // The sweep that followed the last switch may still be at work.
    await expect(page.getByRole("main").getByText("Running", { exact: true })).toHaveCount(0, { timeout: 150_000 });
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

/** Waits until a view shows what it reads. */
async function read(page: Page): Promise<void> {
  await expect(page.locator("main .skeleton")).toHaveCount(0);
  await expect(page.getByRole("alert")).toHaveCount(0);
}
