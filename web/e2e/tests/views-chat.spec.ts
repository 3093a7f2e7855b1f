/** Every view of the example chat. */
import { begin, expectStored, openChat, say } from "../pages/chat.ts";
import { looked } from "../pages/looked.ts";
import { expect, test } from "../pages/watched.ts";
import { theStack } from "../stack/stack.ts";

test("the example chat", async ({ page, context }) => {
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
