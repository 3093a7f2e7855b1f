import { readFile } from "node:fs/promises";
import type { Download, Locator, Page } from "@playwright/test";

import { go, signIn } from "../pages/admin.ts";
import { expect, test } from "../pages/watched.ts";
import { type Item, put, states, switchStream } from "../stack/aws.ts";

// Three pages a segment, at the rate below, with 10 s between them: time enough to pause it on the way.
const ITEMS = 120;

test.afterEach(() => switchStream("on"));

test("a migration started in the page reaches its end on screen", async ({ page }) => {
  // What a table holds from before: the stream has not told of it.
  await switchStream("off");
  await put(Array.from({ length: ITEMS }, (_, number) => session(`before-${number}`)));
  expect(await states("before-")).toEqual({ encrypted: 0, plaintext: ITEMS });

  await signIn(page, "carol");
  await go(page, "Migration");
  await page.getByRole("radio", { name: "Encrypt", exact: true }).click();
  await page.getByLabel("Segments", { exact: true }).fill("4");
  await page.getByLabel("Items a second, at most", { exact: true }).fill("5");
  await page.getByRole("button", { name: "Start encrypting" }).click();

  await test.step("beside a stream that is held back, it asks again", async () => {
    await page.getByRole("button", { name: "Start all the same…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Start the sweep" }).click();
    await expect(page.getByRole("heading", { name: "Encrypt sweep" })).toBeVisible();
    await page.evaluate(countShifts);
  });

  const progress = page.getByRole("progressbar", { name: "Progress of the sweep to encrypt" });
  const share = async () => Number(await progress.getAttribute("aria-valuenow"));
  await test.step("it is paused on the way, and stays where it is", async () => {
    await expect.poll(share).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Pause" }).click();
    await expect(told(page)).toHaveText("The sweep is paused.");
    expect((await states("before-")).plaintext).toBeGreaterThan(0);
  });

  await test.step("its ceiling is raised", async () => {
    await page.getByRole("button", { name: "Rate…" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("Items a second, at most", { exact: true }).fill("60");
    await dialog.getByRole("button", { name: "Set the ceiling" }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText("of at most 60")).toBeVisible();
  });

  await test.step("it goes on, and ends", async () => {
    await page.getByRole("button", { name: "Resume" }).click();
    await expect(page.getByText(/^\d of 4 done, [1-4] running$/)).toBeVisible();
    await expect(told(page)).toHaveText("The sweep is done.", { timeout: 120_000 });
    await expect(page.getByText("4 of 4")).toBeVisible();
    expect(await share()).toBe(100);
    await expect(page.getByRole("progressbar", { name: /^Segment/ })).toHaveCount(4);
    await expect(page.getByRole("button", { name: "Pause" })).toBeHidden();
    // Below what counts as noticed at all: https://web.dev/articles/cls
    expect(await page.evaluate(() => (window as unknown as Shifted).shifted)).toBeLessThan(0.05);
  });

  expect(await states("before-")).toEqual({ encrypted: ITEMS, plaintext: 0 });
});

test("a verification becomes a report to take along, and a sweep that is cancelled ends", async ({ page }) => {
  await put(Array.from({ length: 40 }, (_, number) => session(`counted-${number}`)));
  await expect.poll(() => states("counted-")).toEqual({ encrypted: 40, plaintext: 0 });
  await signIn(page, "carol");
  await go(page, "Migration");
  await page.getByRole("radio", { name: "Verify" }).click();
  await page.getByRole("checkbox", { name: "Decrypt every value to check it" }).check();
  await page.getByRole("button", { name: "Start verifying" }).click();
  await expect(page.getByRole("heading", { name: "Verify sweep" })).toBeVisible();
  await expect(told(page)).toHaveText("The sweep is done.");

  await test.step("the report", async () => {
    await page.getByRole("main").getByRole("link", { name: "Report" }).click();
    await expect(page.getByRole("heading", { name: "What is in the table" })).toBeVisible();
    const files: Download[] = [];
    page.on("download", (download) => files.push(download));
    await page.getByRole("button", { name: "Download HTML and JSON" }).click();
    await expect.poll(() => files.length).toBe(2);
    const [json, html] = await Promise.all(files.map(async (file) => readFile(await file.path(), "utf8")));
    expect(JSON.parse(json as string)).toMatchObject({
      document: "DynamoDB Stream Encryptor: evidence",
      generatedBy: "carol",
    });
    expect(html).toMatch(/^<!doctype html>/i);
  });

  await go(page, "Migration");
  await page.getByRole("radio", { name: "Re-encrypt" }).click();
  await page.getByLabel("Items a second, at most", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Start re-encrypting" }).click();
  await expect(page.getByRole("heading", { name: "Re-encrypt sweep" })).toBeVisible();
  await page.getByRole("button", { name: "Cancel…" }).click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByRole("button", { name: "Cancel the sweep" })).toBeDisabled();
  await dialog.getByLabel("Type cancel to confirm").fill("cancel");
  await dialog.getByRole("button", { name: "Cancel the sweep" }).click();
  await expect(told(page)).toHaveText("The sweep is cancelled.");
});

interface Shifted {
  /** By how much of the page the layout moved by itself, added up. */
  shifted: number;
}

/** Adds up, in the page, how much of it moves without anybody having done anything. */
function countShifts(): void {
  const page = window as unknown as Shifted;
  page.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
      if (!entry.hadRecentInput) page.shifted += entry.value;
  }).observe({ type: "layout-shift" });
}

/** What screen readers are told of the sweep. */
function told(page: Page): Locator {
  return page.getByRole("main").getByRole("status").filter({ hasText: "The sweep is" });
}

function session(id: string): Item {
  return {
    sessionId: { S: id },
    userId: { S: "alice" },
    startTime: { S: "2026-03-01T09:00:00+00:00" },
    history: { L: [{ M: { type: { S: "human" }, content: { S: `What of ${id}?` } } }] },
  };
}
