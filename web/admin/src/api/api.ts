/** The admin API, one method a route. Every method rejects with an ApiError, or the signal's reason. */

import { ApiError, NotAdministrator, NotSignedIn, Refused, Unavailable } from "./errors";
import type {
  Action,
  BranchKey,
  Config,
  Failures,
  GivenPart,
  PlaintextWindow,
  Redriven,
  Report,
  ReportFiles,
  Setting,
  Shredded,
  StartSweep,
  Status,
  Sweep,
  SweepDetail,
} from "./types";

/** The gateway ends a call after 30 seconds; whoever waits longer waits for nothing. */
const LONGEST_CALL = 35_000;

export interface TokenSource {
  /** Returns the access token; rejects with NotSignedIn where there is none. */
  token(): Promise<string>;
  /** Told that the API does not take the token; returns whether there is a new one. */
  renew(): Promise<boolean>;
}

type Signal = AbortSignal | undefined;

export class AdminApi {
  constructor(
    private readonly base: string,
    private readonly tokens: TokenSource,
    private readonly send: typeof fetch = (...call) => fetch(...call),
  ) {}

  status(signal?: Signal): Promise<Status> {
    return this.read("status", signal);
  }

  config(signal?: Signal): Promise<Config> {
    return this.read("config", signal);
  }

  /** Switches encryption on or off, if the setting is still at `seen.version`. */
  async switchTo(enabled: boolean, seen: Setting): Promise<Setting> {
    const confirm = enabled ? {} : { confirm: "switch-off" };
    return (await this.write<{ setting: Setting }>("PUT", "config", { enabled, version: seen.version, ...confirm }))
      .setting;
  }

  /** Switches encryption on for a part and off for all else, if the setting is still at `seen.version`. */
  async switchPart(part: GivenPart, seen: Setting, confirmed: boolean): Promise<Setting> {
    const change = { enabled: true, version: seen.version, part, ...(confirmed ? { confirm: "switch-off" } : {}) };
    return (await this.write<{ setting: Setting }>("PUT", "config", change)).setting;
  }

  async start(sweep: StartSweep): Promise<Sweep> {
    return (await this.write<{ sweep: Sweep }>("POST", "sweeps", sweep)).sweep;
  }

  async sweep(id: string, signal?: Signal): Promise<SweepDetail> {
    return (await this.read<{ sweep: SweepDetail }>(`sweeps/${encodeURIComponent(id)}`, signal)).sweep;
  }

  async move(id: string, action: "pause" | "resume" | "cancel"): Promise<Sweep> {
    const confirm = action === "cancel" ? { confirm: "cancel" } : {};
    return (await this.write<{ sweep: Sweep }>("POST", `sweeps/${encodeURIComponent(id)}/${action}`, confirm)).sweep;
  }

  /** Sets the ceiling of a sweep, in items a second; null takes it away. */
  async setRate(id: string, rate: number | null): Promise<Sweep> {
    return (await this.write<{ sweep: Sweep }>("PUT", `sweeps/${encodeURIComponent(id)}/rate`, { rate })).sweep;
  }

  failures(max: number, signal?: Signal): Promise<Failures> {
    return this.read(`failures?max=${max}`, signal);
  }

  redrive(max: number): Promise<Redriven> {
    return this.write("POST", "failures/redrive", { max });
  }

  async discard(id: string, reason: string): Promise<void> {
    await this.write("POST", `failures/${encodeURIComponent(id)}/discard`, { reason, confirm: "discard" });
  }

  /** Reads branch keys, page after page, until there are no more or so many were read. */
  async branchKeys(most: number, signal?: Signal): Promise<{ branchKeys: BranchKey[]; more: boolean }> {
    const branchKeys: BranchKey[] = [];
    let after: string | null = null;
    do {
      const from: string = after === null ? "" : `?after=${encodeURIComponent(after)}`;
      const page: { branchKeys: BranchKey[]; after: string | null } = await this.read(`tenants${from}`, signal);
      branchKeys.push(...page.branchKeys);
      after = page.after;
    } while (after !== null && branchKeys.length < most);
    return { branchKeys: branchKeys.slice(0, most), more: after !== null || branchKeys.length > most };
  }

  /** Makes the branch key of a tenant; returns whether it was made just now. */
  async makeBranchKey(tenant: string): Promise<boolean> {
    return (await this.write<{ made: boolean }>("POST", "tenants/make", { tenant })).made;
  }

  async rotateBranchKey(tenant?: string): Promise<void> {
    await this.write("POST", "tenants/rotate", tenant === undefined ? {} : { tenant });
  }

  /** Looks at a tenant's items, and destroys its branch key; `looked` is told how many were looked at. */
  async shredTenant(tenant: string, looked: (items: number) => void): Promise<Shredded> {
    let seen = 0;
    let cursor: Record<string, unknown> | null = null;
    for (;;) {
      const from: object = cursor === null ? {} : { cursor };
      const answer: Shredded = await this.write("POST", "tenants/shred", { tenant, confirm: tenant, ...from });
      seen += answer.items;
      if (answer.shredded) return { ...answer, items: seen };
      if (answer.cursor === null) throw new Unavailable("The answer is not what it should be.", true);
      cursor = answer.cursor;
      looked(seen);
    }
  }

  plaintextWindow(hours: number, signal?: Signal): Promise<PlaintextWindow> {
    return this.read(`plaintext-window?hours=${hours}`, signal);
  }

  async actions(limit: number, signal?: Signal): Promise<Action[]> {
    return (await this.read<{ actions: Action[] }>(`actions?limit=${limit}`, signal)).actions;
  }

  report(sweep: string, signal?: Signal): Promise<Report> {
    return this.read(`report?sweep=${encodeURIComponent(sweep)}`, signal);
  }

  reportFiles(sweep: string, signal?: Signal): Promise<ReportFiles> {
    return this.read(`report?sweep=${encodeURIComponent(sweep)}&form=files`, signal);
  }

  private read<T>(path: string, signal: Signal): Promise<T> {
    return this.call("GET", path, undefined, signal);
  }

  private write<T>(method: "POST" | "PUT", path: string, body: object): Promise<T> {
    return this.call(method, path, JSON.stringify(body), undefined);
  }

  private async call<T>(method: string, path: string, body: string | undefined, signal: Signal): Promise<T> {
    let response = await this.sent(method, path, body, signal);
    // A token that has just expired was not looked at further: nothing was done, so the call may be made again.
    if (response.status === 401 && (await this.tokens.renew())) {
      response = await this.sent(method, path, body, signal);
    }
    const changes = method !== "GET";
    const answer = await document(response, changes);
    if (!response.ok) throw problem(response.status, answer, changes);
    if (answer === null) throw new Unavailable("The answer is not what it should be.", changes);
    return answer as T;
  }

  private async sent(method: string, path: string, body: string | undefined, signal: Signal): Promise<Response> {
    const token = await this.tokens.token();
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const late = AbortSignal.timeout(LONGEST_CALL);
    try {
      return await this.send(`${this.base}/admin/api/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        cache: "no-store",
        credentials: "omit",
        signal: signal ? AbortSignal.any([signal, late]) : late,
      });
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) throw error;
      throw new Unavailable("The service did not answer.", method !== "GET");
    }
  }
}

async function document(response: Response, changes: boolean): Promise<Record<string, unknown> | null> {
  let text: string;
  try {
    text = await response.text();
  } catch {
    throw new Unavailable("The connection broke off.", changes);
  }
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function problem(status: number, answer: Record<string, unknown> | null, changes: boolean): ApiError {
  const text = (name: string) => (typeof answer?.[name] === "string" ? (answer[name] as string) : null);
  const message = text("message");
  if (status === 401) return new NotSignedIn();
  if (status === 403) return new NotAdministrator(message ?? "You are not an administrator.");
  if (status === 429) return new Unavailable("Too many requests at a time; try again in a moment.", false);
  if (status >= 400 && status < 500) {
    const version = typeof answer?.version === "number" ? answer.version : null;
    return new Refused(message ?? `The request was refused (${status}).`, status, text("code"), text("field"), version);
  }
  return new Unavailable(message ?? `The service answered with an error (${status}).`, changes);
}
