/**
 * What a page shows, looked at light and dark and at two widths: nothing that axe calls serious, no sideways scrolling,
 * no control beyond an edge, and a screenshot in `test-results/views/`.
 */
import { expect, type Page } from "@playwright/test";
import axe from "axe-core";

const SCREENSHOTS = new URL("../../test-results/views/", import.meta.url).pathname;
const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [1280, 360];

/** Looks at what a page shows, in both schemes and at both widths. */
export async function looked(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    for (const colorScheme of SCHEMES) {
      const label = `${name}-${width}-${colorScheme}`;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: heightOf(width) });
      // As high as the page: in a screenshot of more than is seen, what is fixed stands in the middle.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, heightOf(width)) });
      await page.screenshot({ path: `${SCREENSHOTS}${label}.png`, animations: "disabled" });
      // What measures itself has its new width a frame later.
      const aside = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      await expect.poll(aside, `${label}: scrolls sideways`).toBeLessThanOrEqual(0);
      await expect.poll(() => cutOff(page), `${label}: cannot be seen whole`).toEqual([]);
      expect(await grave(page), label).toEqual([]);
    }
  }
  await page.setViewportSize({ width: 1280, height: heightOf(1280) });
}

const heightOf = (width: number) => (width < 600 ? 800 : 900);

/** Returns what axe finds that is serious or critical. Its script is put into the page once, which is what takes long. */
async function grave(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`);
}

/** Returns the controls that stand beyond an edge. */
function cutOff(page: Page): Promise<string[]> {
  return page.locator("a, button:not(.skip), [role=button]").evaluateAll((controls) =>
    controls
      .filter((control) => {
        const { left, right } = control.getBoundingClientRect();
        return left < 0 || right > window.innerWidth;
      })
      .map((control) => control.textContent ?? ""),
  );
}
