/** What fails any test does: each of these is expected to fail, after what it says. */
import { test } from "../pages/watched.ts";
import { theStack } from "../stack/stack.ts";

test.beforeEach(({ page }) => page.goto(theStack().application));

test.fail("a violation of the content security policy", ({ page }) =>
  page.evaluate(() => {
    document.body.append(Object.assign(document.createElement("style"), { textContent: "* { color: red }" }));
  }),
);

test.fail("a request to a third party", async ({ page }) => {
  await page.route("https://third.test/**", (route) => route.fulfill({ body: "" }));
  await page.goto("https://third.test/");
});

test.fail("an exception that nobody catches", async ({ page }) => {
  const thrown = page.waitForEvent("pageerror");
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error("not caught");
    });
  });
  await thrown;
});

test.fail("an error in the console", ({ page }) => page.evaluate(() => console.error("wrong")));
