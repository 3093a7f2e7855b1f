import { signIn, switchTo } from "../pages/admin.ts";
import { Application } from "../pages/application.ts";
import { expect, test } from "../pages/watched.ts";
import { stored } from "../stack/aws.ts";

const HISTORY = [{ content: "Two eggs, a pound of flour" }];

test("switching encryption off and on in the page changes what the next write stores", async ({ page, context }) => {
  const application = await Application.open(context, "bob");
  await application.create("recipe", { history: HISTORY });
  expect(await stored("bob", "recipe")).toMatchObject({ is_encrypted: { BOOL: true } });
  await signIn(page, "carol");

  await switchTo(page, "off");
  expect(await application.save("recipe", { name: "Cake", history: HISTORY })).toEqual({
    saved: { form: "plaintext", name: "Cake", history: HISTORY },
  });
  expect(await stored("bob", "recipe")).toMatchObject({
    history: { L: [{ M: { content: { S: "Two eggs, a pound of flour" } } }] },
  });
  expect(await application.create("written-while-off", { history: HISTORY })).toMatchObject({
    saved: { form: "plaintext" },
  });

  await switchTo(page, "on");
  expect(await application.save("written-while-off", { history: [...HISTORY, { content: "Butter" }] })).toMatchObject({
    saved: { form: "encrypted", history: [...HISTORY, { content: "Butter" }] },
  });
  const item = await stored("bob", "written-while-off");
  expect(item).toMatchObject({ is_encrypted: { BOOL: true } });
  expect(item).not.toHaveProperty("history");
});

test("who switches what somebody else has switched meanwhile is told, and decides anew", async ({ page, context }) => {
  await signIn(page, "carol");
  await page.getByRole("button", { name: "Switch off…" }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Type switch-off to confirm").fill("switch-off");

  const other = await context.newPage();
  await signIn(other, "dora");
  await switchTo(other, "off");

  await dialog.getByRole("button", { name: "Switch off", exact: true }).click();
  await expect(dialog).toContainText("Somebody changed the setting meanwhile");
  await expect(dialog).toContainText(/Now it is off at version \d+, by dora/);
  await dialog.getByRole("button", { name: "Decide anew" }).click();
  await dialog.getByRole("button", { name: "Switch on", exact: true }).click();
  await expect(page.getByRole("main").getByRole("heading", { name: "Encryption is on" })).toBeVisible();
});
