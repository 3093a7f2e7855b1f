/** The example chat, as its user goes about it. */
import { expect, type Locator, type Page } from "@playwright/test";

import { theStack } from "../stack/stack.ts";
import { answerIssuer } from "./issuer.ts";

/** Opens the chat, or a conversation in it, and signs in. */
export async function openChat(page: Page, user: string, conversation = ""): Promise<void> {
  await page.goto(`${theStack().chat}/#/${conversation}`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await answerIssuer(page, user);
  await page.waitForURL(`${theStack().chat}/**`);
  await expect(page.getByRole("status", { name: "Encryption" })).toHaveText(/Encryption (on|off)/);
}

/** Begins a conversation and returns its id. */
export async function begin(page: Page): Promise<string> {
  await page.getByRole("button", { name: "New conversation" }).click();
  await expect(page.getByRole("heading", { name: "New conversation" })).toBeVisible();
  return new URL(page.url()).hash.slice(2);
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Waits until there are so many messages, all of them stored: one is shown before it is saved. */
export async function expectStored(page: Page, count: number): Promise<void> {
  await expect(messages(page)).toHaveCount(count);
  await expect(page.getByRole("status", { name: "Saving" })).toHaveText("Stored encrypted");
}

/** The messages that are shown. */
export const messages = (page: Page): Locator => page.getByRole("log").getByRole("listitem");
