import { begin, expectStored, messages, openChat, say } from "../pages/chat.ts";
import { expect, expectSealed, test } from "../pages/watched.ts";
import { decrypted, stored } from "../stack/aws.ts";

test("a chat is encrypted in the browser, read again after a reload, and nobody else's", async ({
  page,
  browser,
  watch,
}) => {
  await openChat(page, "erin");
  const conversation = await begin(page);
  await say(page, "My flowerpot hides a key");
  await expect(messages(page)).toHaveText([/My flowerpot hides a key/, /which is 5 words/]);
  await expect(page.getByRole("status", { name: "Saving" })).toHaveText("Stored encrypted");
  await page.getByText("What the server holds").click();
  await expect(
    page
      .getByRole("definition")
      .filter({ hasText: /characters\)$/ })
      .first(),
  ).toBeVisible();

  const item = await stored("erin", conversation);
  expect(item).toMatchObject({ is_encrypted: { BOOL: true } });
  expect(JSON.stringify(item)).not.toContain("flowerpot");
  expect(JSON.stringify(await decrypted("erin", conversation))).toContain("flowerpot");

  await page.reload();
  await openChat(page, "erin", conversation);
  await expectStored(page, 2);
  await expectSealed(watch, ["flowerpot"]);

  const others = await browser.newContext();
  const other = await others.newPage();
  await openChat(other, "mallory", conversation);
  await expect(other.getByRole("heading", { name: "New conversation" })).toBeVisible();
  await expect(messages(other)).toHaveCount(0);
  await others.close();
});

test("of two tabs, the second to send is told, and loses nothing", async ({ page, context, watch }) => {
  await openChat(page, "erin");
  const conversation = await begin(page);
  await say(page, "One marmalade");
  await expectStored(page, 2);
  const second = await context.newPage();
  await openChat(second, "erin", conversation);
  await expectStored(second, 2);

  await say(page, "Two, from the first tab");
  await expectStored(page, 4);
  await say(second, "Three, from the second tab");
  const conflict = second.getByRole("alert", { name: "Conflict" });
  await expect(conflict).toContainText("changed in another tab");
  await expect(conflict).toContainText("Two, from the first tab");
  await test.step("what cannot be sent now looks so, under the pointer too", async () => {
    const send = second.getByRole("button", { name: "Send" });
    await conflict.hover();
    const colour = await send.evaluate((button) => getComputedStyle(button).backgroundColor);
    await send.hover({ force: true });
    await send.evaluate((button) => Promise.all(button.getAnimations().map((animation) => animation.finished)));
    await expect(send).toBeDisabled();
    await expect(send).toHaveCSS("background-color", colour);
  });
  await conflict.getByRole("button", { name: "Add my message to it" }).click();
  await expectStored(second, 6);
  await expect(conflict).toBeHidden();
  const all = JSON.stringify(await decrypted("erin", conversation));
  for (const text of ["One marmalade", "Two, from the first tab", "Three, from the second tab"])
    expect(all).toContain(text);
  await expectSealed(watch, ["marmalade", "from the first tab", "from the second tab"]);
});
