import { renderHook, waitFor } from "@testing-library/react";
import { SessionClient } from "@dynamodb-stream-encryptor/client";
import * as React from "react";
import { expect, it } from "vitest";
import { FakeServer } from "../../client/tests/fake-server.js";
import { EncryptionProvider, useEncryptedSession } from "../src/index.js";
it("v", async () => {
  expect(React.version.split(".")[0]).toBe(process.env.REACT);
  const server = new FakeServer();
  const client = new SessionClient({ api: server.api, token: () => "token", fetch: server.fetch });
  await client.save("s1", { history: [1] });
  const { result } = renderHook(() => useEncryptedSession("s1"), { wrapper: ({ children }) => <EncryptionProvider client={client}>{children}</EncryptionProvider> });
  await waitFor(() => expect(result.current.status).toBe("ready"));
  await React.act?.(async () => { await result.current.save({ history: [2] }); });
});
