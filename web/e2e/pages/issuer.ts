/** The issuer's own page. */
import type { Page } from "@playwright/test";

/** Says who one is. */
export async function answerIssuer(page: Page, user: string, administrator = false): Promise<void> {
  await page.getByLabel("User").fill(user);
  if (administrator) await page.getByLabel("Administrator").check();
  await page.getByRole("button", { name: "Sign in" }).click();
}
