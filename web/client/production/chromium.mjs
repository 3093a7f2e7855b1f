/**
 * Reads the frozen messages with the production build in Chromium, under the policy that a strict page has, and makes one
 * of its own. What Node's streams and keys do tells little of a browser's.
 */
import { existsSync, readFileSync } from "node:fs";
import { chromium } from "@playwright/test";
import { chunks } from "./chunks.mjs";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ORIGIN = "https://client.test";
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";
const FILES = ["current", "edges", "browser", "refused", "browser-refused"];

if (!existsSync(EXECUTABLE)) {
  console.log("There is no Chromium: the tests of the production build in a browser ARE NOT RUN");
  process.exit(0);
}
const built = new Map((await chunks()).map((chunk) => [`/${chunk.fileName}`, chunk.code]));
const vectors = FILES.flatMap((file) => {
  const address = new URL(`../../../tests/vectors/${file}.json`, import.meta.url);
  return Object.entries(JSON.parse(readFileSync(address, "utf8"))).map(([name, vector]) => ({
    name: `${file}/${name}`,
    ...vector,
  }));
});
const violations = [];
const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("console", (message) => violations.push(message.text()));
  page.on("pageerror", (error) => violations.push(error.message));
  await page.route("**/*", (route) => {
    const { pathname } = new URL(route.request().url());
    const code = built.get(pathname);
    return code === undefined
      ? route.fulfill({
          contentType: "text/html",
          body: "<!doctype html>",
          headers: { "Content-Security-Policy": POLICY },
        })
      : route.fulfill({ contentType: "text/javascript", body: code });
  });
  await page.goto(ORIGIN);
  const outcomes = await page.evaluate(read, vectors);
  const wrong = vectors.filter((vector, index) => outcomes[index] !== expected(vector));
  for (const { name, outcome } of wrong) console.error(`${name}: not ${outcome ?? "decrypted"}`);
  const trip = await page.evaluate(roundTrip);
  if (!trip) console.error("What the browser made, it does not read.");
  for (const violation of violations) console.error(violation);
  const failed = wrong.length + violations.length + (trip ? 0 : 1);
  console.log(`Chromium ${browser.version()}: ${vectors.length + 1 - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
} finally {
  await browser.close();
}

function expected({ name, outcome }) {
  // The browser knows neither the old form nor the signing suite, and here takes every KMS key.
  const [, own] = name.split("/");
  if (own === "unlisted-key") return "decrypted";
  return own.startsWith("old-") || own.startsWith("sign") ? "unknown-form" : (outcome ?? "decrypted");
}

async function read(entries) {
  const { decryptValue, importDataKey } = await import("/client.js");
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const outcomes = [];
  for (const { attribute, ciphertext, context, dataKey } of entries) {
    const unwrap = () => importDataKey(bytes(dataKey.plaintext));
    outcomes.push(
      await decryptValue(attribute, ciphertext, context, unwrap).then(
        () => "decrypted",
        ({ code }) => code,
      ),
    );
  }
  return outcomes;
}

async function roundTrip() {
  const { decryptValue, encryptValue, importDataKey } = await import("/client.js");
  const key = await importDataKey(crypto.getRandomValues(new Uint8Array(32)));
  const keyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  const context = { userId: "alice", sessionId: "s1", purpose: "session-encryption" };
  const value = Array.from({ length: 2000 }, (_, index) => ({ index, text: "Grüße 👋".repeat(5) }));
  const stored = await encryptValue("history", value, { keyArn, encryptedKey: new Uint8Array([1]), key }, context);
  const again = await decryptValue("history", stored, context, async () => key);
  return !key.extractable && JSON.stringify(again) === JSON.stringify(value);
}
