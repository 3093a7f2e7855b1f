/**
 * A stand-in for the service behind the page, for development and screenshots: the admin API with made-up tables, and an
 * issuer that signs anybody in. Nothing of it is built into the page.
 *
 * `POST /dev/scenario/NAME` picks what is going on: quiet, running, paused, failures, off, canary, empty, conflict (the setting
 * changes under every change), down, slow, outsider (not an administrator), short (tokens of 20 seconds, no refresh).
 */

const KEY = "arn:aws:kms:eu-central-1:111122223333:key/5d3a7f0e-2b61-4c8e-9a4f-0c1d2e3f4a5b";
const EARLIER = "arn:aws:kms:eu-central-1:111122223333:key/91c0b7d2-6e1f-4a3b-8d5c-7f6e5d4c3b2a";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ITEMS = 1_284_903;

export function fake({ now = () => Date.now() } = {}) {
  let world = create("quiet", now());
  const codes = new Map();

  return async function handle(request, response) {
    const url = new URL(request.url, "http://fake");
    const path = url.pathname;
    const body = await read(request);
    const scenario = path.match(/^\/dev\/scenario\/([a-z]+)$/);
    if (scenario) {
      world = create(scenario[1], now());
      return answer(response, 200, { scenario: scenario[1] });
    }
    if (path === "/admin/config.json") {
      const origin = `http://${request.headers.host}`;
      return answer(response, 200, {
        issuer: "https://issuer.example.test",
        clientId: "local",
        scope: "openid",
        metadataUrl: `${origin}/issuer/metadata`,
        apiUrl: "",
        groupHint: "admin",
        region: "eu-central-1",
        stack: "chat-sessions-prod",
      });
    }
    if (path.startsWith("/issuer/")) return issuer(request, response, url, body, codes, world);
    if (path.startsWith("/admin/api/")) return api(request, response, url, body, world, now());
    return false;
  };
}

function create(scenario, now) {
  const iso = (ago) => new Date(now - ago).toISOString();
  const on = scenario !== "off";
  const empty = scenario === "empty";
  const canary = scenario === "canary" ? { buckets: 100, of: 10_000 } : null;
  const sweeps = empty ? [] : history(now, iso);
  const world = {
    scenario,
    setting: empty
      ? { enabled: true, part: null, version: 0, changedBy: null, changedAt: null }
      : {
          enabled: on,
          part: canary,
          version: on ? 3 : 4,
          changedBy: "dana@example.com",
          changedAt: iso(on ? 9 * DAY : 3 * HOUR),
        },
    settings: [],
    sweeps,
    failures: scenario === "failures" ? failures(iso) : [],
    actions: empty ? [] : actions(iso),
  };
  world.settings = empty
    ? []
    : [
        ...(on
          ? []
          : [{ enabled: false, part: null, version: 4, changedBy: "dana@example.com", changedAt: iso(3 * HOUR) }]),
        { enabled: true, part: canary, version: 3, changedBy: "dana@example.com", changedAt: iso(9 * DAY) },
        { enabled: false, part: null, version: 2, changedBy: "sam@example.com", changedAt: iso(9.4 * DAY) },
        { enabled: true, part: null, version: 1, changedBy: "dana@example.com", changedAt: iso(12 * DAY) },
      ];
  if (canary) {
    const [verified] = world.sweeps;
    Object.assign(verified, {
      counts: { encrypted: 12_766, none: 83, plaintext: 0 },
      outside: { plaintext: ITEMS - 12_849 - 8_128, none: 8_128 },
    });
  }
  if (scenario === "running" || scenario === "paused") {
    world.sweeps.unshift(running(now, scenario === "paused"));
  }
  return world;
}

function sweep(fields) {
  return {
    startedBy: "schedule",
    settingVersion: 3,
    segments: 4,
    segmentsDone: 4,
    scanned: ITEMS,
    estimatedItems: ITEMS,
    counts: {},
    outside: {},
    attributes: {},
    strays: {},
    values: { seen: 0, decrypted: 0 },
    underKey: {},
    rate: null,
    olderThan: null,
    deep: false,
    itemsPerSecond: 412.6,
    rateNow: null,
    limitedBy: null,
    estimatedEnd: null,
    segmentsRunning: 0,
    itemsFailed: 0,
    reason: null,
    minutesWithoutProgress: null,
    ...fields,
  };
}

function id(at, n) {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "")}-${(0x1f2e3d + n * 7919).toString(16).slice(0, 6)}`;
}

function history(now, iso) {
  const done = (ago, hours, fields, n) =>
    sweep({ id: id(now - ago, n), state: "done", startedAt: iso(ago), finishedAt: iso(ago - hours * HOUR), ...fields });
  const census = (plain, mixed, old, bad, total, earlier, deep = false) => {
    const encrypted = total - plain - mixed - old - bad - 8_211;
    const seen = encrypted * 2 + old * 2 + mixed;
    return {
      goal: "verify",
      scanned: total,
      deep,
      startedBy: deep ? "dana@example.com" : "schedule",
      counts: { encrypted, plaintext: plain, mixed, oldForm: old, undecryptable: bad, none: 8_211, conflicts: 0 },
      attributes: {
        history: { plaintext: plain + mixed, encrypted: encrypted + old, absent: 8_211 + bad },
        configuration: { plaintext: plain, encrypted: encrypted + old - 20_410, absent: 28_621 + bad },
      },
      underKey: { [KEY]: encrypted - earlier, ...(earlier ? { [EARLIER]: earlier } : {}) },
      values: { seen, decrypted: deep ? seen : 0 },
    };
  };
  return [
    done(0.15 * DAY, 0.9, census(0, 0, 0, 2, ITEMS, 41_877, true), 1),
    done(1.0 * DAY, 0.86, { goal: "encrypt", counts: { nothing: ITEMS - 39, encrypted: 37, failed: 2 } }, 2),
    done(
      2.0 * DAY,
      0.86,
      { goal: "encrypt", counts: { nothing: ITEMS - 4_204, encrypted: 4_204 }, scanned: ITEMS - 800 },
      3,
    ),
    done(3.1 * DAY, 0.8, census(112, 18, 0, 2, ITEMS - 4_100, 41_877), 4),
    done(
      5 * DAY,
      1.2,
      {
        goal: "re-encrypt",
        startedBy: "dana@example.com",
        scanned: ITEMS - 9_000,
        olderThan: iso(95 * DAY),
        counts: { encrypted: 612_050, nothing: 662_902, superseded: 951 },
      },
      5,
    ),
    done(6.5 * DAY, 0.8, census(1_940, 310, 121_004, 2, ITEMS - 14_000, 653_927), 6),
    sweep({
      id: id(now - 7.2 * DAY, 12),
      goal: "re-encrypt",
      state: "cancelled",
      startedBy: "sam@example.com",
      startedAt: iso(7.2 * DAY),
      finishedAt: iso(7.1 * DAY),
      segmentsDone: 1,
      segments: 8,
      scanned: 301_220,
      counts: { encrypted: 20_118, nothing: 281_102 },
    }),
    done(
      8.8 * DAY,
      1.1,
      {
        goal: "encrypt",
        startedBy: "dana@example.com",
        scanned: ITEMS - 21_000,
        counts: { encrypted: 702_433, nothing: 561_390, superseded: 80 },
      },
      7,
    ),
    done(9.2 * DAY, 0.7, census(702_433, 1_204, 121_004, 2, ITEMS - 22_000, 320_110), 8),
    sweep({
      id: id(now - 9.42 * DAY, 13),
      goal: "encrypt",
      state: "stopped",
      reason: "setting-changed",
      startedAt: iso(9.42 * DAY),
      finishedAt: iso(9.4 * DAY),
      settingVersion: 1,
      segmentsDone: 0,
      scanned: 18_400,
      counts: { encrypted: 11_200, nothing: 7_200 },
    }),
    done(11.6 * DAY, 0.7, census(1_020_000, 2_011, 121_004, 2, ITEMS - 30_000, 0), 9),
  ];
}

function running(now, paused) {
  return sweep({
    id: id(now - 0.3 * HOUR, 20),
    goal: "encrypt",
    state: paused ? "paused" : "running",
    startedBy: "dana@example.com",
    startedAt: new Date(now - 0.3 * HOUR).toISOString(),
    finishedAt: null,
    segments: 16,
    segmentsDone: 3,
    scanned: 0,
    rate: 600,
    minutesWithoutProgress: paused ? null : 0,
    since: now,
    perSecond: 587,
    base: 530_000,
    mix: { encrypted: 0.61, nothing: 0.3898, superseded: 0.0002 },
  });
}

function failures(iso) {
  const key = (session, user) => ({ sessionId: { S: session }, userId: { S: user } });
  const item = (n, reason, ago, attempts) => ({
    id: `7b0c4f2e-51aa-4d6f-9d3e-8f0a1b2c3d${String(n).padStart(2, "0")}`,
    kind: "item",
    key: key(`session-${4_810_221 + n * 977}`, `user-${1_200 + n * 31}`),
    reason,
    recordId: `shardId-000000017${n}:4962${n}`,
    time: iso(ago),
    attempts,
    range: null,
  });
  return [
    item(1, "undecryptable", 3 * HOUR, 1),
    item(2, "undecryptable", 3.2 * HOUR, 2),
    item(3, "item-too-large", 20 * HOUR, 1),
    item(4, "unknown-form", 26 * HOUR, 4),
    {
      id: "2c9d1e7a-0b34-4f0a-8a6e-5d4c3b2a1f00",
      kind: "mapping",
      key: null,
      reason: "RetryAttemptsExhausted",
      recordId: null,
      time: iso(31 * HOUR),
      attempts: 0,
      range: {
        shardId: "shardId-00000001732441912345-7c6e5d4c",
        startSequenceNumber: "496500000000019283746512345",
        endSequenceNumber: "496500000000019283746519876",
        streamArn: "arn:aws:dynamodb:eu-central-1:111122223333:table/chat-sessions/stream/2026-01-02T08:30:00.000",
      },
    },
    {
      id: "9a8b7c6d-5e4f-4a3b-2c1d-0e9f8a7b6c5d",
      kind: "unknown",
      key: null,
      reason: null,
      recordId: null,
      time: null,
      attempts: 0,
      range: null,
    },
  ];
}

function actions(iso) {
  const row = (ago, who, action, result, detail) => ({
    time: iso(ago),
    who,
    via: action === "redrive" ? null : "admin-api",
    action,
    result,
    detail,
  });
  return [
    row(0.15 * DAY, "dana@example.com", "start", "done", { goal: "verify", deep: true, segments: 4 }),
    row(1.2 * DAY, "sam@example.com", "discard", "done", { id: "5f1c…", reason: "test data of the load test" }),
    row(1.3 * DAY, "sam@example.com", "redrive", "done", { max: 100, done: 12, again: 1 }),
    row(5 * DAY, "dana@example.com", "start", "done", { goal: "re-encrypt", olderThanDays: 90, segments: 4 }),
    row(7.1 * DAY, "sam@example.com", "cancel", "done", { sweep: "20261117T080000-1f2e3d" }),
    row(7.2 * DAY, "sam@example.com", "start", "done", { goal: "re-encrypt", segments: 8 }),
    row(9 * DAY, "dana@example.com", "set-config", "done", { enabled: true, version: 3 }),
    row(9.4 * DAY, "sam@example.com", "set-config", "done", { enabled: false, version: 2 }),
    row(9.41 * DAY, "sam@example.com", "set-config", "refused: conflict", { enabled: false, version: 0 }),
    row(12 * DAY, "dana@example.com", "set-config", "done", { enabled: true, version: 1 }),
  ];
}

/** Brings a sweep that runs to where it is now. */
function advance(each, now) {
  if (!each.since) return each;
  if (each.state === "running") {
    each.base += Math.round(((now - each.since) / 1000) * each.perSecond);
    each.since = now;
  }
  each.scanned = Math.min(ITEMS, each.base);
  each.segmentsDone = segments(each).filter((part) => part.state === "done").length;
  each.counts = Object.fromEntries(
    Object.entries(each.mix).map(([name, part]) => [name, Math.round(each.scanned * part)]),
  );
  each.itemsPerSecond = each.perSecond - 40;
  const runs = each.state === "running";
  each.rateNow = runs ? each.perSecond : null;
  each.limitedBy = runs ? "table-throttled" : null;
  each.segmentsRunning = runs ? 4 : 0;
  each.estimatedEnd = runs ? new Date(now + ((ITEMS - each.scanned) / each.perSecond) * 1000).toISOString() : null;
  if (each.scanned >= ITEMS && each.state === "running") {
    Object.assign(each, {
      state: "done",
      finishedAt: new Date(now).toISOString(),
      segmentsDone: each.segments,
      since: null,
    });
  }
  return each;
}

function segments(each) {
  const share = ITEMS / each.segments;
  // Segments do not run alike: the first are ahead.
  return Array.from({ length: each.segments }, (_, n) => {
    const ahead = (share * each.segments * 1.6 * each.scanned) / ITEMS / each.segments - (share * n) / each.segments;
    const scanned = Math.round(each.state === "done" ? share : Math.max(0, Math.min(share, ahead)));
    const done = each.state === "done" || scanned >= Math.round(share);
    return { segment: n, state: done ? "done" : "waiting", pages: Math.ceil(scanned / 100), scanned, counts: {} };
  });
}

async function api(request, response, url, body, world, now) {
  const route = `${request.method} ${url.pathname.slice("/admin/api/".length)}`;
  const refuse = (status, message, more = {}) => answer(response, status, { statusCode: status, message, ...more });
  if (!request.headers.authorization?.startsWith("Bearer ")) return refuse(401, "Unauthorized");
  if (world.scenario === "outsider") return refuse(403, "You may not do this.");
  if (world.scenario === "down") return refuse(503, "Try again in a moment.");
  if (world.scenario === "slow") await new Promise((resolve) => setTimeout(resolve, 60_000));
  const shown = () => world.sweeps.map((each) => advance(each, now));
  const named = (text) => shown().find((each) => each.id === decodeURIComponent(text));
  const log = (action, result, detail) =>
    world.actions.unshift({ time: new Date(now).toISOString(), who: "dana@example.com", action, result, detail });

  if (route === "GET status") return answer(response, 200, status(world, shown(), now));
  if (route === "GET config")
    return answer(response, 200, {
      setting: world.setting,
      listedKeys: world.listedKeys ?? null,
      history: world.settings,
    });
  if (route === "PUT config") {
    if (world.scenario === "conflict") {
      world.setting = {
        ...world.setting,
        version: world.setting.version + 1,
        changedBy: "sam@example.com",
        changedAt: new Date(now).toISOString(),
      };
    }
    if (body.version !== world.setting.version) {
      log("set-config", "refused: conflict", { enabled: body.enabled, version: body.version });
      return refuse(409, "The setting is not, or no longer, at the version given; read it again.", {
        version: world.setting.version,
        code: "conflict",
      });
    }
    const { buckets, keys } = body.part ?? {};
    world.listedKeys = keys ?? null;
    world.setting = {
      enabled: body.enabled,
      part: buckets ? { buckets, of: 10_000 } : keys ? { keys: keys.length } : null,
      version: world.setting.version + 1,
      changedBy: "dana@example.com",
      changedAt: new Date(now).toISOString(),
    };
    world.settings.unshift(world.setting);
    log("set-config", "done", { enabled: body.enabled, version: world.setting.version });
    return answer(response, 200, { setting: world.setting });
  }
  if (route === "POST sweeps") {
    const other = shown().find((each) => each.state === "running");
    if (other && !body.force) {
      const message = `Another sweep runs: ${other.id} (${other.goal}, ${other.state}).`;
      return refuse(409, message, { code: "conflict", sweep: other.id });
    }
    const started = {
      ...running(now, false),
      id: id(now, 99),
      goal: body.goal,
      startedAt: new Date(now).toISOString(),
      segments: body.segments ?? 4,
      segmentsDone: 0,
      rate: body.rate ?? null,
      base: 0,
      perSecond: body.rate ?? 40_000,
      deep: body.deep ?? false,
    };
    if (body.goal === "verify") started.mix = { encrypted: 0.99, none: 0.01 };
    world.sweeps.unshift(started);
    log("start", "done", body);
    return answer(response, 200, { sweep: advance(started, now) });
  }
  let match = route.match(/^GET sweeps\/([^/]+)$/);
  if (match) {
    const found = named(match[1]);
    if (!found) return refuse(404, "There is no such sweep.", { code: "not-found" });
    return answer(response, 200, { sweep: { ...found, segmentsDetail: segments(found) } });
  }
  match = route.match(/^POST sweeps\/([^/]+)\/(pause|resume|cancel)$/);
  if (match) {
    const found = named(match[1]);
    if (!found) return refuse(404, "There is no such sweep.", { code: "not-found" });
    if (["done", "cancelled", "stopped"].includes(found.state))
      return refuse(409, `The sweep is ${found.state}.`, { code: "stopped" });
    found.state = { pause: "paused", resume: "running", cancel: "cancelled" }[match[2]];
    found.since = now;
    if (match[2] === "cancel") found.finishedAt = new Date(now).toISOString();
    log(match[2], "done", { sweep: found.id });
    return answer(response, 200, { sweep: found });
  }
  if (route === "GET failures")
    return answer(response, 200, { failures: world.failures, messages: world.failures.length && 218 });
  if (route === "POST failures/redrive") {
    const again = world.failures.filter((each) => each.reason === "undecryptable");
    const done = world.failures.length - again.length;
    world.failures = again;
    log("redrive", "done", { max: body.max, done, again: again.length });
    return answer(response, 200, {
      done,
      again: again.length,
      sweep: null,
      notes: again.length ? [`${again[0].id}: undecryptable`] : [],
      remaining: again.length,
    });
  }
  match = route.match(/^POST failures\/([^/]+)\/discard$/);
  if (match) {
    const at = world.failures.findIndex((each) => each.id === match[1]);
    if (at < 0) return refuse(404, "There is no such message in the failure queue.", { code: "not-found" });
    world.failures.splice(at, 1);
    log("discard", "done", { id: match[1], reason: body.reason });
    return answer(response, 200, { discarded: true });
  }
  if (route === "GET plaintext-window")
    return answer(response, 200, plaintextWindow(world, Number(url.searchParams.get("hours") ?? 24), now));
  if (route === "GET actions") return answer(response, 200, { actions: world.actions });
  if (route === "GET report") {
    const files = url.searchParams.get("form") === "files";
    const document = report(world, named(url.searchParams.get("sweep") ?? ""), now);
    return answer(
      response,
      200,
      files
        ? {
            name: "evidence-chat-sessions-20261124T091500Z",
            json: `${JSON.stringify(document, null, 2)}\n`,
            sha256: "0".repeat(64),
            html: `<!doctype html><title>Evidence</title><pre>${JSON.stringify(document, null, 2)}</pre>`,
          }
        : document,
    );
  }
  return refuse(404, "Not found");
}

function status(world, sweeps, now) {
  const empty = world.scenario === "empty";
  return {
    table: "chat-sessions",
    tableArn: "arn:aws:dynamodb:eu-central-1:111122223333:table/chat-sessions",
    account: "111122223333",
    tableItemCount: empty ? 0 : ITEMS,
    stream: {
      arn: "arn:aws:dynamodb:eu-central-1:111122223333:table/chat-sessions/stream/2026-01-02T08:30:00.000",
      viewType: "KEYS_ONLY",
    },
    setting: world.setting,
    sweeps: sweeps.slice(0, 20).sort((one, other) => Number(active(other)) - Number(active(one))),
    failureQueue: {
      messages: world.failures.length && 218,
      url: "https://sqs.eu-central-1.amazonaws.com/111122223333/failures",
    },
    workQueue: { messages: sweeps.some((each) => each.state === "running") ? 13 : 0 },
    deferredQueue: { messages: world.scenario === "failures" ? 4 : 0 },
    mapping: { state: world.scenario === "failures" ? "Disabled" : "Enabled" },
    key: {
      arn: KEY,
      state: "Enabled",
      rotationEnabled: true,
      rotationPeriodInDays: 90,
      nextRotationDate: new Date(now + 41 * DAY).toISOString(),
    },
    earlierKeys: empty ? [] : [EARLIER],
    attributes: ["history", "configuration"],
    attributesSince: {},
    earlierAttributes: [],
    algorithm: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
    contextAttributes: ["userId", "sessionId"],
    purpose: "session-encryption",
    recovery: {
      pitr: true,
      days: 35,
      earliest: new Date(now - 35 * DAY).toISOString(),
      latest: new Date(now - 300_000).toISOString(),
    },
  };
}

const active = (each) => each.state === "running" || each.state === "paused";

function plaintextWindow(world, hours, now) {
  if (world.scenario === "empty") return { periodSeconds: 300, points: [] };
  const period = hours > 48 ? 3_600 : 300;
  const points = [];
  const first = Math.ceil((now - hours * HOUR) / (period * 1000)) * period * 1000;
  for (let at = first, n = 0; at < now; at += period * 1000, n += 1) {
    const wave = Math.sin(at / (4 * HOUR)) * 0.5 + 0.5;
    const noise = ((n * 7919) % 101) / 101;
    const burst = n % 97 > 90 ? 4 : 1;
    if (n > 60 && n < 68) continue; // Nobody wrote.
    points.push({
      time: new Date(at).toISOString(),
      p50: Math.round(210 + 60 * wave + 30 * noise),
      p99: Math.round((620 + 260 * wave + 240 * noise) * burst ** 0.7),
      count: Math.round(40 + 900 * wave + 100 * noise),
    });
  }
  return { periodSeconds: period, points };
}

function report(world, verification, now) {
  const at = (days) => new Date(now + days * DAY).toISOString().replace(/\.\d+/, "");
  const findings = ["2 items that cannot be decrypted.", `41,877 items still under the earlier key ${EARLIER}.`];
  if (!world.setting.enabled) findings.push("Encryption is off: new writes are stored in plaintext.");
  return {
    document: "DynamoDB Stream Encryptor: evidence",
    formatVersion: 2,
    generatedAt: at(0),
    generatedBy: "dana@example.com",
    stack: { name: "chat-sessions-prod", region: "eu-central-1" },
    verdict: "not-as-it-should-be",
    findings,
    table: {
      name: "chat-sessions",
      arn: "arn:aws:dynamodb:eu-central-1:111122223333:table/chat-sessions",
      account: "111122223333",
      approximateItems: ITEMS,
      encryptedAttributes: ["history", "configuration"],
      earlierAttributes: [],
      streamViewType: "KEYS_ONLY",
      streamMapping: "Enabled",
    },
    encryption: {
      algorithm: "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
      contextAttributes: ["userId", "sessionId"],
      purpose: "session-encryption",
    },
    key: { arn: KEY, state: "Enabled", rotationEnabled: true, rotationPeriodInDays: 90, nextRotationDate: at(41) },
    earlierKeys: [EARLIER],
    setting: world.setting,
    settingHistory: world.settings,
    verification: {
      sweep: verification.id,
      startedBy: verification.startedBy,
      startedAt: verification.startedAt,
      finishedAt: verification.finishedAt,
      settingVersion: 3,
      method: "2,553,380 of 2,553,380 values were decrypted",
      items: verification.scanned,
      values: verification.values,
      mayBeAbsent: [],
      byState: verification.counts,
      byAttribute: verification.attributes,
      notListed: {},
      byKey: verification.underKey,
    },
    earlierPlaintext: {
      encryptedBy: at(-1),
      basis: "the newest sweep after which no plaintext was found",
      goneEverywhereBy: at(34),
      copies: [
        { name: "table", mayHold: false, until: null, note: "No item held plaintext when it was verified." },
        {
          name: "point-in-time recovery",
          mayHold: true,
          until: at(34),
          note: "35 days after the last plaintext was encrypted.",
        },
        { name: "stream", mayHold: false, until: null, note: "The stream carries keys only." },
        { name: "backups", mayHold: false, until: null, note: "None was listed for this report." },
      ],
    },
    failures: {
      messages: world.failures.length && 218,
      listed: world.failures.map(({ key: _, range: __, recordId: ___, ...rest }) => rest),
    },
    versions: { "dynamodb-stream-encryptor": "1.4.0", boto3: "1.44.5", python: "3.13.2" },
    limits: [
      "The counts are a scan's: each item was read once, consistently, at some time between the start and the end of the verification.",
      "Backups are those that were listed for this report. Exports, replicas elsewhere, logs of the writers and copies that they keep are not known to this system.",
    ],
  };
}

function issuer(request, response, url, _body, codes, world) {
  const origin = `http://${request.headers.host}/issuer`;
  switch (url.pathname) {
    case "/issuer/metadata":
      return answer(response, 200, {
        issuer: "https://issuer.example.test",
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        jwks_uri: `${origin}/jwks`,
        end_session_endpoint: `${origin}/logout`,
      });
    case "/issuer/authorize": {
      const code = Math.random().toString(36).slice(2);
      codes.set(code, url.searchParams.get("nonce"));
      const back = new URL(url.searchParams.get("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state"));
      return redirect(response, back.href);
    }
    case "/issuer/token": {
      const seconds = world.scenario === "short" ? 20 : 3600;
      const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
      const claims = {
        iss: "https://issuer.example.test",
        aud: "local",
        sub: "dana",
        email: "dana@example.com",
        iat: Math.floor(Date.now() / 1000),
        exp: Math.floor(Date.now() / 1000) + seconds,
      };
      return answer(response, 200, {
        access_token: `access-${Math.random().toString(36).slice(2)}`,
        id_token: `${part({ alg: "none" })}.${part(claims)}.x`,
        ...(world.scenario === "short" ? {} : { refresh_token: "refresh" }),
        token_type: "Bearer",
        expires_in: seconds,
      });
    }
    case "/issuer/logout":
      return redirect(response, url.searchParams.get("post_logout_redirect_uri"));
    default:
      return answer(response, 404, {});
  }
}

async function read(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function answer(response, code, document) {
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(document));
  return true;
}

function redirect(response, to) {
  response.writeHead(302, { location: to });
  response.end();
  return true;
}
