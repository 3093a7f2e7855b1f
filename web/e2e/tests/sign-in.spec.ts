import { address, go, signIn } from "../pages/admin.ts";
import { answerIssuer } from "../pages/issuer.ts";
import { expect, test } from "../pages/watched.ts";
import { SIGN_IN_LIFETIME, theStack } from "../stack/stack.ts";

test("an administrator signs in, stays signed in by renewal, and signs out", async ({ page, watch }) => {
  await signIn(page, "carol");
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await expect(page.getByText("carol").first()).toBeVisible();
  expect(page.url()).not.toContain("code=");

  await test.step("tokens are in memory only", async () => {
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => ({ ...localStorage, ...sessionStorage }))).toEqual({});
  });

  await test.step("it outlives the first token", async () => {
    const renewals = () => watch.requests.filter((sent) => sent.postData()?.includes("grant_type=refresh_token"));
    await expect.poll(() => renewals().length, { timeout: 4 * SIGN_IN_LIFETIME * 1000 }).toBeGreaterThan(0);
    await go(page, "Audit");
    await expect(page.getByRole("main")).not.toContainText("could not be read");
    expect(watch.requests.every((request) => request.frame() === page.mainFrame())).toBe(true);
  });

  await test.step("a reload signs in again", async () => {
    await page.reload();
    await answerIssuer(page, "carol", true);
    await expect(page.getByRole("heading", { name: "Audit" })).toBeVisible();
  });

  await test.step("after signing out, nothing is shown and nothing kept", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    expect(page.url()).toMatch(address());
    expect(await page.evaluate(() => ({ ...localStorage, ...sessionStorage }))).toEqual({});
    await page.goBack();
    await expect(page.getByRole("heading", { name: "Audit" })).toBeHidden();
  });
});

test("when the issuer renews no more, the sign-in expires, and signing in leads back", async ({ page, watch }) => {
  await signIn(page, "carol");
  await go(page, "Keys");
  watch.expected.push(/^Failed to load resource: net::ERR_FAILED/);
  await page.route(`${theStack().issuer}/token`, (route) => route.abort());
  await expect(page.getByRole("heading", { name: "Your sign-in has expired" })).toBeVisible({
    timeout: 4 * SIGN_IN_LIFETIME * 1000,
  });
  await expect(page.getByRole("main")).toContainText("You were signed in as carol.");
  await page.unroute(`${theStack().issuer}/token`);
  await page.getByRole("button", { name: "Sign in again" }).click();
  await answerIssuer(page, "carol", true);
  await expect(page.getByRole("heading", { name: "Keys" })).toBeVisible();
});

test("who cancels at the issuer is told that the sign-in was not completed", async ({ page }) => {
  await page.goto(address());
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("The sign-in was not completed.")).toBeVisible();
});

test("a user without the group sees a refusal and nothing of the stack", async ({ page, request }) => {
  await signIn(page, "alice", { administrator: false });
  await expect(page.getByRole("heading", { name: "For administrators only" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("alice, who is not in the group admin");
  await expect(page.getByRole("navigation")).toBeHidden();
  const { api, tokens } = theStack();
  const status = `${api}/admin/api/status`;
  expect((await request.get(status, { headers: { Authorization: `Bearer ${tokens.alice}` } })).status()).toBe(403);
  expect((await request.get(status)).status()).toBe(401);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
});
