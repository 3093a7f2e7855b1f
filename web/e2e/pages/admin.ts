/** The admin page, as an administrator goes about it. */
import { expect, type Page } from "@playwright/test";

import { theStack } from "../stack/stack.ts";
import { answerIssuer } from "./issuer.ts";

/** Where the page is. */
export const address = (): string => `${theStack().api}/admin`;

/** Opens the page and signs in at the issuer's own. */
export async function signIn(page: Page, user: string, { administrator = true } = {}): Promise<void> {
  await page.goto(address());
  await page.getByRole("button", { name: "Sign in" }).click();
  await answerIssuer(page, user, administrator);
  await page.waitForURL(`${address()}**`);
}

/** Goes to a view by the navigation. */
export async function go(page: Page, view: string): Promise<void> {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(view);
}

/** Switches encryption, with all that the page asks first. */
export async function switchTo(page: Page, state: "on" | "off"): Promise<void> {
  await go(page, "Overview");
  await page.getByRole("button", { name: `Switch ${state}…` }).click();
  const dialog = page.getByRole("alertdialog");
  const confirm = dialog.getByRole("button", { name: `Switch ${state}`, exact: true });
  if (state === "off") {
    await expect(confirm).toBeDisabled();
    await dialog.getByLabel("Type switch-off to confirm").fill("switch-off");
  }
  await confirm.click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("main").getByRole("heading", { name: `Encryption is ${state}` })).toBeVisible();
}
