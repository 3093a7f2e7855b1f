/** The fake service inside Vite's development server. */

import { fake } from "./fake.mjs";

export function fakeService() {
  return {
    name: "fake-service",
    apply: "serve",
    configureServer(server) {
      const handle = fake();
      server.middlewares.use((request, response, next) => {
        // Redirects of the sign-in come back to the address without a slash at its end.
        if (request.url.split("?")[0] === "/admin") request.url = request.url.replace("/admin", "/admin/");
        handle(request, response).then((done) => done || next(), next);
      });
    },
  };
}
