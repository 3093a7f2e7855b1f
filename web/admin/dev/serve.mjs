/** Serves the production build as the page's function does, its headers included, with the fake service behind it. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { fake } from "./fake.mjs";

const BUILD = fileURLToPath(new URL("../../../functions/admin_page/static/", import.meta.url));
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".html": "text/html; charset=utf-8",
};
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

/** Returns a server that listens on `port` of this machine. */
export function serve(port) {
  const handle = fake();
  const server = createServer(async (request, response) => {
    if (await handle(request, response)) return;
    const path = new URL(request.url, "http://page").pathname;
    const name = path === "/admin" ? "index.html" : path.match(/^\/admin\/(assets\/[\w.-]+)$/)?.[1];
    try {
      const content = await readFile(`${BUILD}${name ?? "none"}`);
      response.writeHead(200, { ...HEADERS, "content-type": TYPES[extname(name)] ?? "application/octet-stream" });
      response.end(content);
    } catch {
      response.writeHead(404, HEADERS);
      response.end();
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const port = Number(process.env.PORT ?? 4180);
  await serve(port);
  console.log(`http://127.0.0.1:${port}/admin`);
}
