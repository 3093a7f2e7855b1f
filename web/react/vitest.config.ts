import { defineConfig } from "vitest/config";

const eighteen = `${import.meta.dirname}/../react-18/node_modules`;

const test = {
  environment: "jsdom",
  include: ["tests/**/*.test.{ts,tsx}"],
  setupFiles: ["tests/setup.ts"],
  testTimeout: 20_000,
};

export default defineConfig({
  // The client's sources: its tests' server imports them too, and errors are told apart by class.
  resolve: { alias: { "@dynamodb-stream-encryptor/client": `${import.meta.dirname}/../client/src/index.ts` } },
  test: {
    projects: [
      { extends: true, test: { ...test, name: "react-19", env: { REACT: "19" } } },
      {
        extends: true,
        resolve: {
          alias: [
            { find: /^react(-dom)?(?=\/|$)/, replacement: `${eighteen}/react$1` },
            { find: /^@testing-library\/react$/, replacement: `${eighteen}/@testing-library/react` },
          ],
        },
        test: { ...test, name: "react-18", env: { REACT: "18" } },
      },
    ],
  },
});
