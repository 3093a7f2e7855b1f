/** What the admin API answers: the shapes of docs/openapi.json, as far as the page reads them. Times are ISO 8601. */

export type Goal = "encrypt" | "re-encrypt" | "decrypt" | "verify";

export type SweepState = "running" | "paused" | "cancelled" | "stopped" | "done";

/** How large the part is that encryption is on for: `buckets` of `of` by the hash of the key, or listed `keys`. */
export interface Part {
  buckets?: number;
  of?: number;
  keys?: number;
}

/** An item's key in DynamoDB JSON. */
export type ItemKey = Record<string, Record<string, string>>;

/** A part, as it is asked for. */
export interface GivenPart {
  buckets?: number;
  keys?: ItemKey[];
}

export interface Setting {
  enabled: boolean;
  /** The part that it is on for; null: for all, or off. */
  part: Part | null;
  version: number;
  changedBy: string | null;
  changedAt: string | null;
}

export interface Config {
  setting: Setting;
  /** The keys that it is on for; null: none is listed. They may hold users' ids. */
  listedKeys: ItemKey[] | null;
  /** Newest first. */
  history: Setting[];
}

/** How many items something became of, or are in some state, by the name of it. */
export type Counts = Record<string, number>;

/** Where an attribute of the items is. */
export interface Places {
  plaintext: number;
  encrypted: number;
  absent: number;
}

export type LimitedBy = "ceiling" | "table-capacity" | "table-throttled" | "kms-throttled" | "function";

export interface Sweep {
  id: string;
  goal: Goal;
  state: SweepState;
  startedBy: string | null;
  startedAt: string;
  finishedAt: string | null;
  settingVersion: number;
  segments: number;
  segmentsDone: number;
  scanned: number;
  estimatedItems: number | null;
  /** What became of items; for `verify` their states, those of the part where encryption was on for one. */
  counts: Counts;
  /** For `verify` where encryption was on for a part: the states of all other items. */
  outside: Counts;
  attributes: Record<string, Places>;
  strays: Counts;
  encodings: Counts;
  values: { seen: number; decrypted: number };
  /** Items by the KMS key that they need, by ARN; counted by `verify` only. */
  underKey: Counts;
  /** Items a second at most; null for no ceiling. */
  rate: number | null;
  olderThan: string | null;
  deep: boolean;
  /** The average since the start, pauses included. */
  itemsPerSecond: number | null;
  /** Items a second at present; null for a sweep that does not run. */
  rateNow: number | null;
  /** What keeps it from going faster; null while it gets faster. */
  limitedBy: LimitedBy | null;
  /** When it ends if it goes on like this. */
  estimatedEnd: string | null;
  segmentsRunning: number;
  /** Items that failed so far, and will not be tried again. */
  itemsFailed: number;
  reason: string | null;
  minutesWithoutProgress: number | null;
}

export interface Segment {
  segment: number;
  state: "waiting" | "running" | "done";
  pages: number;
  scanned: number;
  counts: Counts;
  rateNow: number | null;
  limitedBy: LimitedBy | null;
}

export interface SweepDetail extends Sweep {
  segmentsDetail: Segment[];
}

export interface KeyState {
  arn: string;
  state: string | null;
  rotationEnabled: boolean | null;
  rotationPeriodInDays: number | null;
  nextRotationDate: string | null;
}

export interface Status {
  table: string;
  tableArn: string;
  account: string;
  /** DynamoDB's own count, up to six hours old. */
  tableItemCount: number;
  stream: { arn: string | null; viewType: string | null };
  setting: Setting;
  /** The newest, those that run or are paused first. */
  sweeps: Sweep[];
  failureQueue: { messages: number; url: string };
  workQueue: { messages: number };
  deferredQueue: { messages: number };
  mapping: { state: string | null };
  key: KeyState;
  earlierKeys: string[];
  /** Branch keys, where the stack has any. */
  tenantKeys: { table: string; attribute: string | null; writes: boolean } | null;
  attributes: string[];
  earlierAttributes: string[];
  algorithm: string;
  encoding: "base64" | "binary";
  contextAttributes: string[];
  purpose: string;
  recovery: { pitr: boolean; days: number | null; earliest: string | null; latest: string | null };
}

export interface StartSweep {
  goal: Goal;
  segments?: number;
  rate?: number;
  olderThanDays?: number;
  deep?: boolean;
  force?: boolean;
  confirm?: "decrypt";
}

export interface Failure {
  id: string;
  kind: "item" | "mapping" | "work" | "unknown";
  /** An item's key in DynamoDB JSON. It may hold a user's id. */
  key: Record<string, Record<string, unknown>> | null;
  reason: string | null;
  recordId: string | null;
  time: string | null;
  attempts: number;
  range: Record<string, string | null> | null;
}

/** A branch key, or what is left of one; never the key itself. */
export interface BranchKey {
  branchKeyId: string;
  state: "active" | "destroyed" | "absent";
  /** Empty where all items have one key; null of one that is destroyed. */
  tenant: string | null;
  since: string | null;
  kmsKeyArn: string | null;
}

export interface Shredded {
  shredded: boolean;
  /** Items of the tenant that were looked at. */
  items: number;
  cursor: Record<string, unknown> | null;
  readable?: { what: string; until: string | null }[] | null;
}

export interface Failures {
  failures: Failure[];
  /** How many there are about, in all. */
  messages: number;
}

export interface Redriven {
  done: number;
  again: number;
  sweep: string | null;
  notes: string[];
  remaining: number;
}

export interface PlaintextWindow {
  periodSeconds: number;
  /** Milliseconds from a write to its encryption, oldest first. */
  points: { time: string; p50: number; p99: number; count: number }[];
}

export interface Action {
  time: string;
  who: string;
  /** From where: null is an operator's command, or a schedule. */
  via?: "admin-api" | "config-api" | null;
  action: string;
  result: string;
  detail: unknown;
}

/** The report as the two files that it is kept as. The page names the SHA-256 of `json`, to the byte. */
export interface ReportFiles {
  name: string;
  json: string;
  sha256: string;
  html: string;
}

export interface Report {
  generatedAt: string;
  generatedBy: string;
  stack: { name: string; region: string };
  verdict: "as-it-should-be" | "as-it-should-be-by-headers" | "not-as-it-should-be";
  findings: string[];
  table: {
    name: string;
    arn: string;
    account: string;
    approximateItems: number;
    encryptedAttributes: string[];
    earlierAttributes: string[];
    streamViewType: string | null;
    streamMapping: string | null;
  };
  encryption: { algorithm: string; contextAttributes: string[]; purpose: string };
  key: KeyState;
  earlierKeys: string[];
  setting: Setting | null;
  settingHistory: Setting[];
  verification: {
    sweep: string;
    startedBy: string | null;
    startedAt: string | null;
    finishedAt: string | null;
    method: string;
    items: number;
    values: { seen: number; decrypted: number };
    byState: Counts;
    byAttribute: Record<string, Places>;
    notListed: Counts;
    byKey: Counts;
  };
  earlierPlaintext: {
    encryptedBy: string | null;
    basis: string;
    goneEverywhereBy: string | null;
    copies: { name: string; mayHold: boolean; until: string | null; note: string }[];
  };
  failures: { messages: number; listed: Pick<Failure, "id" | "kind" | "reason" | "time" | "attempts">[] };
  versions: Record<string, string>;
  limits: string[];
}
