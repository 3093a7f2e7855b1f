/** What the admin page shows to who is not signed in, no more, or no administrator. */
import { address, go, signIn } from "../pages/admin.ts";
import { looked } from "../pages/looked.ts";
import { expect, test } from "../pages/watched.ts";
import { theStack } from "../stack/stack.ts";

test("who is signed out", async ({ page }) => {
  await page.goto(address());
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await looked(page, "signed-out");
});

test("the issuer's page", async ({ page }) => {
  await page.goto(address());
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByLabel("User")).toBeVisible();
  await looked(page, "issuer");
});

test("who may not see the rest", async ({ page }) => {
  await signIn(page, "alice", { administrator: false });
  await expect(page.getByRole("heading", { name: "For administrators only" })).toBeVisible();
  await looked(page, "refused");
});

test("who is signed in no more, and a service that does not answer", async ({ page, watch }) => {
  watch.expected.push(/^Failed to load resource: net::ERR_FAILED/);
  await signIn(page, "carol");
  await go(page, "Overview");
  await page.route(`${theStack().api}/admin/api/**`, (route) => route.abort());
  await go(page, "Audit");
  await expect(page.getByText("The actions could not be read")).toBeVisible();
  await looked(page, "not-answered");
  await page.unroute(`${theStack().api}/admin/api/**`);
  await page.route(`${theStack().api}/admin/api/**`, (route) => route.fulfill({ status: 401, body: "{}" }));
  await page.route(`${theStack().issuer}/token`, (route) => route.abort());
  await expect(page.getByRole("heading", { name: "Your sign-in has expired" })).toBeVisible();
  await looked(page, "expired");
});
