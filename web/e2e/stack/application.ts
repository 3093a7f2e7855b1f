/** Serves the page of the application, with the client as an application's bundler builds it, under a strict policy. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { chunks } from "../../client/production/chunks.mjs";

export interface Served {
  origin: string;
  /** Lets the page call the API there. */
  allow(api: string): void;
  stop(): void;
}

const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/application.js"></script>';

export async function serveApplication(): Promise<Served> {
  const scripts = new Map([
    ...(await chunks()).map(({ fileName, code }): [string, string] => [`/${fileName}`, code]),
    ["/application.js", readFileSync(join(import.meta.dirname, "../pages/application.js"), "utf8")],
  ]);
  let policy = "";
  const server = createServer((request, response) => {
    const script = scripts.get(request.url ?? "");
    if (script !== undefined) return response.setHeader("Content-Type", "text/javascript").end(script);
    if (request.url !== "/") return response.writeHead(404).end();
    response
      .setHeader("Content-Type", "text/html; charset=utf-8")
      .setHeader("Content-Security-Policy", policy)
      .end(PAGE);
  });
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    allow: (api) => {
      policy = `default-src 'none'; script-src 'self'; img-src data:; connect-src ${api}; base-uri 'none'`;
    },
    stop: () => server.close().closeAllConnections(),
  };
}
