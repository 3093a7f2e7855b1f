import { signIn } from "../pages/admin.ts";
import { expect, test } from "../pages/watched.ts";

test("an administrator gets about by keyboard, and comes back from a question to where it was asked", async ({
  page,
}) => {
  const press = (key: string) => page.keyboard.press(key);
  const main = page.getByRole("main");
  await signIn(page, "carol");
  await expect(main.getByRole("heading", { name: "Encryption is on" })).toBeVisible();

  await test.step("past the navigation at once", async () => {
    const skip = page.getByRole("button", { name: "Skip to the content" });
    await skip.focus();
    await expect(skip).toBeInViewport();
    await press("Enter");
    await expect(main).toBeFocused();
  });

  await test.step("a question takes the focus, keeps it, and gives it back", async () => {
    const opens = page.getByRole("button", { name: "Switch off…" });
    await opens.focus();
    await press("Enter");
    const dialog = page.getByRole("alertdialog");
    await expect(dialog).toBeVisible();
    const focused = () => dialog.evaluate((element) => element.contains(document.activeElement));
    await expect.poll(focused).toBe(true);
    // More presses than it has places to go to. Past the last one the focus comes back a frame later.
    for (let presses = 0; presses < 6; presses++) {
      await press("Tab");
      await expect.poll(focused).toBe(true);
    }
    await press("Escape");
    await expect(dialog).toBeHidden();
    await expect(opens).toBeFocused();
  });

  await test.step("to another view, which takes the focus, is named in the title and marked in the navigation", async () => {
    const link = page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Audit" });
    await link.focus();
    await press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: "Audit" })).toBeVisible();
    await expect(page).toHaveTitle(/^Audit/);
    await expect(link).toHaveAttribute("aria-current", "page");
    await expect(main).toBeFocused(); // Where a screen reader goes on.
  });
});
