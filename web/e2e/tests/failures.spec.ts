import { go, signIn } from "../pages/admin.ts";
import { expect, test } from "../pages/watched.ts";
import { put, stored } from "../stack/aws.ts";

test("of two dead letters one is redriven, after its item was mended, and one is discarded", async ({ page }) => {
  await put([unreadable("to-mend"), unreadable("to-give-up")]);
  await signIn(page, "carol");
  await go(page, "Failures");
  const letters = page.getByRole("table", { name: "Open failures" }).getByRole("row");
  const letter = (session: string) => letters.filter({ hasText: session });
  await expect(async () => {
    await page.getByRole("button", { name: "Read again" }).click();
    await expect(letter("to-mend")).toBeVisible({ timeout: 5_000 });
    await expect(letter("to-give-up")).toBeVisible({ timeout: 5_000 });
  }).toPass({ timeout: 120_000 });

  await test.step("what is mended is settled, what is not stays", async () => {
    const { encrypted_history: _, ...mended } = unreadable("to-mend");
    await put([{ ...mended, history: { L: [{ S: "Mended" }] } }]);
    await page.getByRole("button", { name: "Try again…" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Try again", exact: true }).click();
    await expect(page.getByText("1 letter settled, 1 failed again").first()).toBeVisible();
    await expect.poll(() => stored("mallory", "to-mend")).toMatchObject({ is_encrypted: { BOOL: true } });
    await expect(letter("to-mend")).toHaveCount(0);
  });

  await test.step("the other is discarded, with a reason", async () => {
    await expect(letter("to-give-up")).toBeVisible();
    await letter("to-give-up")
      .getByRole("button", { name: /^Discard the letter/ })
      .click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("Reason").fill("A leftover of the load test");
    await expect(dialog.getByRole("button", { name: "Discard it" })).toBeDisabled();
    await dialog.getByLabel("Type discard to confirm").fill("discard");
    await dialog.getByRole("button", { name: "Discard it" }).click();
    await expect(page.getByRole("heading", { name: "No open failures" })).toBeVisible();
  });

  await test.step("the audit names both, and who", async () => {
    await go(page, "Audit");
    const actions = page.getByRole("table", { name: /^Actions/ }).getByRole("row");
    const discard = actions.filter({ hasText: "A leftover of the load test" });
    await expect(discard).toContainText("carol");
    await expect(discard).toContainText(/discard/i);
  });
  // The item stays as it is: to discard a letter touches nothing else.
  expect(await stored("mallory", "to-give-up")).toHaveProperty("encrypted_history");
});

function unreadable(session: string) {
  return { sessionId: { S: session }, userId: { S: "mallory" }, encrypted_history: { S: "%%%" } };
}
