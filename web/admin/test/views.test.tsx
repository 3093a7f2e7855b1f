import { Toast } from "@base-ui/react/toast";
import { cleanup, configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ReactElement, StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";

import { AdminApi } from "../src/api/api";
import type { Setting, Status } from "../src/api/types";
import { ResourceMemory } from "../src/resource";
import { ServiceProvider } from "../src/service";
import { FailuresView } from "../src/views/failures";
import { KeysView } from "../src/views/keys";
import { LiveSweep } from "../src/views/live-sweep";
import { MigrationView } from "../src/views/migration";
import { SwitchCard } from "../src/views/the-switch";
import { aStatus, aSweep } from "./made-up";

type Answer = (body: Record<string, unknown>) => [status: number, document: unknown];

/** A service that answers by route, and keeps what was written. */
class Service {
  readonly written: [route: string, body: unknown][] = [];
  readonly routes: Record<string, Answer> = {};

  answers(route: string, answer: Answer): this {
    this.routes[route] = answer;
    return this;
  }

  readonly send: typeof fetch = async (url, init) => {
    const route = `${init?.method} ${String(url).replace("/admin/api/", "").split("?")[0]}`;
    const body = init?.body ? JSON.parse(String(init.body)) : {};
    if (init?.method !== "GET") this.written.push([route, body]);
    const [status, document] = this.routes[route]?.(body) ?? [404, { message: `no ${route}` }];
    return Response.json(document, { status });
  };
}

const CONFIG = {
  issuer: "",
  clientId: "",
  scope: "",
  metadataUrl: null,
  apiUrl: "",
  groupHint: "admin",
  region: "",
  stack: "",
};
const tokens = { token: async () => "secret", renew: async () => false };
const refused = vi.fn();
let service: Service;
let went: string[];

function show(view: ReactElement) {
  const location = memoryLocation({ path: "/", record: true });
  went = location.history;
  return render(
    <StrictMode>
      <ResourceMemory refused={refused}>
        <Toast.Provider>
          <Router hook={location.hook}>
            <ServiceProvider api={new AdminApi("", tokens, service.send)} config={CONFIG}>
              {view}
            </ServiceProvider>
          </Router>
        </Toast.Provider>
      </ResourceMemory>
    </StrictMode>,
  );
}

function stands(status: Status) {
  service.answers("GET status", () => [200, status]);
}

beforeEach(() => {
  service = new Service();
  refused.mockClear();
});
afterEach(cleanup);
configure({ asyncUtilTimeout: 10_000 });

describe("the switch", () => {
  const at = (version: number, enabled: boolean, part: Setting["part"] = null): Setting => ({
    enabled,
    part,
    version,
    changedBy: "sam",
    changedAt: null,
  });

  it("goes off only once that was typed, from the version that was seen", async () => {
    stands(aStatus({ setting: at(3, true) }));
    service.answers("PUT config", () => [200, { setting: at(4, false) }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    await user.click(await screen.findByRole("button", { name: "Switch off…" }));
    const dialog = within(await screen.findByRole("alertdialog"));
    const off = dialog.getByRole("button", { name: "Switch off" });
    expect(off).toHaveProperty("disabled", true);
    await user.type(dialog.getByLabelText(/Type switch-off/), "switch-of");
    expect(off).toHaveProperty("disabled", true);
    await user.type(dialog.getByLabelText(/Type switch-off/), "f");
    await user.click(off);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(service.written).toEqual([["PUT config", { enabled: false, version: 3, confirm: "switch-off" }]]);
  });

  it("that somebody else changed first changes nothing, and is decided anew from what is now", async () => {
    stands(aStatus({ setting: at(3, true) }));
    service
      .answers("PUT config", ({ version }) =>
        version === 5 ? [200, { setting: at(6, true) }] : [409, { message: "another version", version: 5 }],
      )
      .answers("GET config", () => [200, { setting: at(5, false), listedKeys: null, history: [] }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    await user.click(await screen.findByRole("button", { name: "Switch off…" }));
    await user.type(await screen.findByLabelText(/Type switch-off/), "switch-off");
    await user.click(screen.getByRole("button", { name: "Switch off" }));
    expect(await screen.findByText("Somebody changed the setting meanwhile")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Decide anew" }));
    // It is off now: what is offered is to switch it on.
    await user.click(await screen.findByRole("button", { name: "Switch on" }));
    await waitFor(() => expect(service.written.at(-1)).toEqual(["PUT config", { enabled: true, version: 5 }]));
    expect(service.written).toHaveLength(2);
  });

  it("goes on for some per cent of the keys, without a word where it was off", async () => {
    stands(aStatus({ setting: at(3, false) }));
    service.answers("PUT config", () => [200, { setting: at(4, true, { buckets: 25, of: 10_000 }) }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    await user.click(await screen.findByRole("button", { name: "For a part…" }));
    const percent = await screen.findByLabelText("Per cent of the keys");
    await user.clear(percent);
    await user.type(percent, "100");
    const go = screen.getByRole("button", { name: "Switch on for the part" });
    expect(go).toHaveProperty("disabled", true);
    await user.clear(percent);
    await user.type(percent, "0.25");
    await user.click(go);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(service.written).toEqual([["PUT config", { enabled: true, version: 3, part: { buckets: 25 } }]]);
  });

  it("goes from on to listed keys only once that was typed", async () => {
    stands(aStatus({ setting: at(3, true) }));
    service.answers("PUT config", () => [200, { setting: at(4, true, { keys: 1 }) }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    await user.click(await screen.findByRole("button", { name: "For a part…" }));
    await user.click(await screen.findByRole("radio", { name: "Listed keys" }));
    const key = '{"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}';
    await user.click(screen.getByLabelText(/Keys, one a line/));
    await user.paste(`${key}\n`);
    const go = screen.getByRole("button", { name: "Switch on for the part" });
    expect(go).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText(/Type switch-off/), "switch-off");
    await user.click(go);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(service.written).toEqual([
      ["PUT config", { enabled: true, version: 3, part: { keys: [JSON.parse(key)] }, confirm: "switch-off" }],
    ]);
  });

  it("says that it is on for a part, and goes on for all or off from there", async () => {
    stands(aStatus({ setting: at(3, true, { buckets: 100, of: 10_000 }) }));
    service.answers("PUT config", () => [200, { setting: at(4, true) }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    expect(await screen.findByRole("heading", { name: "Encryption is on for 1% of the keys" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Switch off…" })).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Switch on for all…" }));
    await user.click(await screen.findByRole("button", { name: "Switch on" }));
    await waitFor(() => expect(service.written).toEqual([["PUT config", { enabled: true, version: 3 }]]));
  });

  it("for a part that somebody else changed first changes nothing, and is decided anew from what is now", async () => {
    stands(aStatus({ setting: at(3, false) }));
    service
      .answers("PUT config", ({ version }) =>
        version === 5
          ? [200, { setting: at(6, true, { buckets: 100, of: 10_000 }) }]
          : [409, { message: "another version", version: 5 }],
      )
      .answers("GET config", () => [200, { setting: at(5, false), listedKeys: null, history: [] }]);
    const user = userEvent.setup();
    show(<SwitchCard />);
    await user.click(await screen.findByRole("button", { name: "For a part…" }));
    await user.click(await screen.findByRole("button", { name: "Switch on for the part" }));
    expect(await screen.findByText("Somebody changed the setting meanwhile")).toBeTruthy();
    await user.click(await screen.findByRole("button", { name: "Decide anew" }));
    await user.click(await screen.findByRole("button", { name: "Switch on for the part" }));
    await waitFor(() =>
      expect(service.written.at(-1)).toEqual(["PUT config", { enabled: true, version: 5, part: { buckets: 100 } }]),
    );
  });
});

describe("a sweep", () => {
  it("is started with what was chosen, and followed", async () => {
    stands(aStatus({ sweeps: [aSweep({ goal: "verify" })] }));
    service.answers("POST sweeps", () => [200, { sweep: aSweep({ id: "new", state: "running" }) }]);
    const user = userEvent.setup();
    show(<MigrationView />);
    await user.type(await screen.findByLabelText("Segments"), "16");
    await user.type(screen.getByLabelText("Items a second, at most"), "500");
    await user.click(screen.getByRole("button", { name: "Start encrypting" }));
    await waitFor(() => expect(went.at(-1)).toBe("/migration/new"));
    expect(service.written).toEqual([["POST sweeps", { goal: "encrypt", segments: 16, rate: 500 }]]);
  });

  it("that is refused beside a mapping that is not enabled is started only where that is overridden", async () => {
    stands(aStatus({ sweeps: [aSweep({ goal: "verify" })] }));
    service.answers("POST sweeps", ({ force }) =>
      force
        ? [200, { sweep: aSweep({ id: "forced" }) }]
        : [409, { message: "The mapping is Disabled.", code: "mapping-not-enabled" }],
    );
    const user = userEvent.setup();
    show(<MigrationView />);
    await user.click(await screen.findByRole("button", { name: "Start encrypting" }));
    expect(await screen.findByText("The mapping is Disabled.")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Start all the same…" }));
    await user.click(await screen.findByRole("button", { name: "Start the sweep" }));
    await waitFor(() => expect(went.at(-1)).toBe("/migration/forced"));
    expect(service.written.map(([, body]) => body)).toEqual([{ goal: "encrypt" }, { goal: "encrypt", force: true }]);
  });

  it("that the setting forbids cannot be chosen", async () => {
    stands(aStatus({ sweeps: [aSweep({ goal: "verify" })] }));
    show(<MigrationView />);
    const decrypt = await screen.findByRole("radio", { name: "Decrypt" });
    expect(decrypt.getAttribute("aria-disabled") ?? decrypt.hasAttribute("disabled")).toBeTruthy();
  });
});

describe("a sweep that runs", () => {
  const running = aSweep({
    id: "s",
    state: "running",
    finishedAt: null,
    scanned: 40,
    rate: 50,
    rateNow: 12.5,
    limitedBy: "table-throttled",
    estimatedEnd: new Date(Date.now() + 90_000).toISOString(),
    segmentsDone: 1,
    segmentsRunning: 2,
    itemsFailed: 7,
  });

  it("tells its rate, what limits it, when it ends and what failed", async () => {
    stands(aStatus({ sweeps: [running] }));
    service.answers("GET sweeps/s", () => [200, { sweep: { ...running, segmentsDetail: [] } }]);
    show(<LiveSweep sweep={running} />);
    expect(await screen.findByText("What limits its rate: the table, which throttles.")).toBeTruthy();
    const told = (name: string) => screen.getByText(name).nextElementSibling?.textContent;
    expect(told("Rate now")).toBe("12.5 items/s of at most 50");
    expect(told("On average")).toBe("10 items/s");
    expect(told("Ends")).toMatch(/^about .* in (8\d|90) s$|^about .* in [12] min$/);
    expect(told("Failed")).toBe("7");
    expect(told("Segments")).toBe("1 of 4 done, 2 running");
  });

  it("is given a ceiling, and none", async () => {
    stands(aStatus({ sweeps: [running] }));
    service
      .answers("GET sweeps/s", () => [200, { sweep: { ...running, segmentsDetail: [] } }])
      .answers("PUT sweeps/s/rate", ({ rate }) => [200, { sweep: { ...running, rate } }]);
    const user = userEvent.setup();
    show(<LiveSweep sweep={running} />);
    for (const [typed, button] of [
      ["200", "Set the ceiling"],
      ["", "Set no ceiling"],
    ] as const) {
      await user.click(await screen.findByRole("button", { name: "Rate…" }));
      const field = await screen.findByLabelText("Items a second, at most");
      await user.clear(field);
      if (typed) await user.type(field, typed);
      await user.click(screen.getByRole("button", { name: button }));
      await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    }
    expect(service.written).toEqual([
      ["PUT sweeps/s/rate", { rate: 200 }],
      ["PUT sweeps/s/rate", { rate: null }],
    ]);
  });

  it("that ended meanwhile is not changed, and says so", async () => {
    stands(aStatus({ sweeps: [running] }));
    service
      .answers("GET sweeps/s", () => [200, { sweep: { ...running, segmentsDetail: [] } }])
      .answers("PUT sweeps/s/rate", () => [409, { message: "The sweep is done.", code: "stopped" }]);
    const user = userEvent.setup();
    show(<LiveSweep sweep={running} />);
    await user.click(await screen.findByRole("button", { name: "Rate…" }));
    await user.click(await screen.findByRole("button", { name: "Set the ceiling" }));
    expect(await screen.findByText("The sweep is done.")).toBeTruthy();
  });
});

describe("a failure", () => {
  const letter = {
    id: "letter-1",
    kind: "item",
    key: { sessionId: { S: "s-1" }, userId: { S: "u-1" } },
    reason: "undecryptable",
    recordId: null,
    time: null,
    attempts: 2,
    range: null,
  };

  it("is discarded only with a reason and the word", async () => {
    stands(aStatus({}));
    service
      .answers("GET failures", () => [200, { failures: [letter], messages: 7 }])
      .answers("POST failures/letter-1/discard", () => [200, { discarded: true }]);
    const user = userEvent.setup();
    show(<FailuresView />);
    expect(await screen.findByText("About 7 letters")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Discard the letter letter-1" }));
    const discard = await screen.findByRole("button", { name: "Discard it" });
    await user.type(screen.getByLabelText(/Type discard/), "discard");
    expect(discard).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText("Reason"), " test data ");
    await user.click(discard);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(service.written).toEqual([["POST failures/letter-1/discard", { reason: "test data", confirm: "discard" }]]);
  });

  it("that was tried again in vain is told of with its notes", async () => {
    stands(aStatus({}));
    service
      .answers("GET failures", () => [200, { failures: [letter], messages: 1 }])
      .answers("POST failures/redrive", () => [
        200,
        { done: 3, again: 1, sweep: "sweep-9", notes: ["letter-1: undecryptable"], remaining: 1 },
      ]);
    const user = userEvent.setup();
    show(<FailuresView />);
    await screen.findByText("About 1 letter");
    await user.click(screen.getByRole("button", { name: "Try again…" }));
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    expect(await screen.findByText(/3 letters settled, 1 failed again/)).toBeTruthy();
    expect(screen.getByText("letter-1: undecryptable")).toBeTruthy();
    expect(screen.getByRole("link", { name: "sweep-9" })).toBeTruthy();
  });

  it("list that the API refuses to who is no administrator tells the page", async () => {
    stands(aStatus({}));
    service.answers("GET failures", () => [403, { message: "You may not do this." }]);
    show(<FailuresView />);
    await waitFor(() => expect(refused).toHaveBeenCalled());
  });
});

describe("a key for each tenant", () => {
  const alice = {
    branchKeyId: "tenant-a1",
    state: "active",
    tenant: "alice",
    since: "2026-01-02T08:30:00Z",
    kmsKeyArn: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
  };
  const gone = { branchKeyId: "tenant-b2", state: "destroyed", tenant: null, since: null, kmsKeyArn: null };
  const tenantKeys = { table: "branch-keys", attribute: "userId", writes: true };

  it("is asked for only where the stack has branch keys", async () => {
    stands(aStatus({}));
    show(<KeysView />);
    expect(await screen.findByText("Current key")).toBeTruthy();
    expect(screen.queryByText("A key for each tenant")).toBeNull();
  });

  it("is destroyed only once the tenant's name was typed, and looked for until the end", async () => {
    stands(aStatus({ tenantKeys }));
    const cursor = { sessionId: { S: "s-9" } };
    service
      .answers("GET tenants", () => [200, { branchKeys: [alice, gone], after: null }])
      .answers("POST tenants/shred", (body) => [
        200,
        body.cursor
          ? { shredded: true, items: 2, cursor: null, readable: [{ what: "a backup", until: null }] }
          : { shredded: false, items: 40, cursor },
      ]);
    const user = userEvent.setup();
    show(<KeysView />);
    await user.click(await screen.findByRole("button", { name: "Shred alice" }));
    const destroy = await screen.findByRole("button", { name: "Destroy its key" });
    await user.type(screen.getByLabelText(/Type alice/), "alic");
    expect(destroy).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText(/Type alice/), "e");
    await user.click(destroy);
    expect(await screen.findByText(/42 items of the tenant cannot be read. Copies can be/)).toBeTruthy();
    expect(screen.getByText(/a backup: until deleted/)).toBeTruthy();
    expect(service.written).toEqual([
      ["POST tenants/shred", { tenant: "alice", confirm: "alice" }],
      ["POST tenants/shred", { tenant: "alice", confirm: "alice", cursor }],
    ]);
  });

  it("that may not be destroyed says why, and is still there", async () => {
    stands(aStatus({ tenantKeys }));
    const message = "Items of the tenant would stay readable: 3 in plaintext. Nothing was destroyed.";
    service
      .answers("GET tenants", () => [200, { branchKeys: [alice], after: null }])
      .answers("POST tenants/shred", () => [409, { message, code: "still-readable" }]);
    const user = userEvent.setup();
    show(<KeysView />);
    await user.click(await screen.findByRole("button", { name: "Shred alice" }));
    await user.type(screen.getByLabelText(/Type alice/), "alice");
    await user.click(screen.getByRole("button", { name: "Destroy its key" }));
    expect(await screen.findByText(message)).toBeTruthy();
  });

  it("is made and rotated", async () => {
    stands(aStatus({ tenantKeys }));
    service
      .answers("GET tenants", () => [200, { branchKeys: [alice], after: null }])
      .answers("POST tenants/make", () => [200, { branchKey: alice, made: true }])
      .answers("POST tenants/rotate", () => [200, { branchKey: alice }]);
    const user = userEvent.setup();
    show(<KeysView />);
    await user.click(await screen.findByRole("button", { name: "Make a key…" }));
    await user.type(screen.getByLabelText("Tenant"), " bob ");
    await user.click(screen.getByRole("button", { name: "Make it" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    await user.click(screen.getByRole("button", { name: "Rotate the key of alice" }));
    await user.click(screen.getByRole("button", { name: "Rotate" }));
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(service.written).toEqual([
      ["POST tenants/make", { tenant: "bob" }],
      ["POST tenants/rotate", { tenant: "alice" }],
    ]);
  });

  it("that is only read offers no change", async () => {
    stands(aStatus({ tenantKeys: { ...tenantKeys, writes: false } }));
    service.answers("GET tenants", () => [200, { branchKeys: [alice], after: null }]);
    show(<KeysView />);
    expect(await screen.findByText("alice")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Shred|Rotate|Make/ })).toBeNull();
  });
});
