/** Overview: whether encryption is on, how the table stands, whether everything runs. */

import { Toggle } from "@base-ui/react/toggle";
import { ToggleGroup } from "@base-ui/react/toggle-group";
import { ChartColumnStacked, History, Hourglass, Play } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";

import type { Setting, Status } from "../api/types";
import { LooksChart } from "../charts/looks-chart";
import { WindowChart } from "../charts/window-chart";
import { count, items, milliseconds, percent } from "../format";
import { useResource } from "../resource";
import { useService } from "../service";
import { activeSweep, judged, looks, newestCensus, sum, whole } from "../sweeps/census";
import { stateTone, stateWords } from "../sweeps/part";
import { Page, Unread } from "../ui/page";
import { Badge, Card, Empty, Figure, Reading, Skeleton, Time, type Tone } from "../ui/parts";
import { Problem } from "../ui/problem";
import { Table } from "../ui/table";
import { LiveSweep } from "./live-sweep";
import { SwitchCard } from "./the-switch";

export function OverviewView() {
  const { api, status } = useService();
  const config = useResource("config", (signal) => api.config(signal));
  if (status.error && !status.data) return <Unread title="Overview" status={status} />;
  return (
    <Page
      title="Overview"
      lead={
        status.data ? (
          <>
            Table <code>{status.data.table}</code>, account {status.data.account}
          </>
        ) : (
          "\u00a0"
        )
      }
      reads={[status, config]}
    >
      {!status.data && <Reading what="the status" />}
      <div className="grid">
        <SwitchCard />
        <Figures status={status.data} />
        <Active status={status.data} />
        <Card
          title="Table by state of items"
          lead="Each finished sweep is a look at the whole table. Oldest on the left."
          className="two-thirds"
        >
          {status.data ? <Looks status={status.data} /> : <Skeleton of="looks" />}
        </Card>
        <Health status={status.data} />
        <Window />
        <Card title="Changes of the setting" className="full">
          {config.error && !config.data ? (
            <Problem
              title="The changes could not be read"
              error={config.error}
              retry={config.refresh}
              busy={config.busy}
            />
          ) : config.data ? (
            <Changes history={config.data.history} />
          ) : (
            <Skeleton lines={3} />
          )}
        </Card>
      </div>
    </Page>
  );
}

function Figures({ status }: { status: Status | undefined }) {
  const census = status ? newestCensus(status.sweeps) : null;
  const waiting = <Skeleton />;
  const encrypted = census ? sum(whole(census), ["encrypted", "oldForm"]) : 0;
  const judgement = status && judged(census, status);
  const queued = status ? status.workQueue.messages + status.deferredQueue.messages : 0;
  const failures = status?.failureQueue.messages ?? 0;
  return (
    <dl className="figures full">
      <Figure
        label="Items in the table"
        value={status ? count(status.tableItemCount) : waiting}
        note={status && "by DynamoDB’s own count"}
      />
      <Figure
        label="Encrypted"
        value={status ? (census ? percent(encrypted, census.scanned - sum(whole(census), ["none"])) : "–") : waiting}
        note={
          status &&
          (census ? (
            <>
              counted <Time at={census.finishedAt} form="ago" />
            </>
          ) : (
            "not counted yet"
          ))
        }
      />
      <Figure
        label="Newest count says"
        value={judgement ? <span className="words">{judgement.title}</span> : waiting}
        note={judgement?.detail}
        {...(judgement ? { tone: judgement.tone } : {})}
      />
      <Figure
        label="Waiting in queues"
        value={status ? count(queued) : waiting}
        note={status && `work ${count(status.workQueue.messages)}, put off ${count(status.deferredQueue.messages)}`}
      />
      <Figure
        label="Open failures"
        value={status ? count(failures) : waiting}
        note={status && (failures ? <Link href="/failures">Look at them</Link> : "about, by SQS")}
        {...(failures ? { tone: "bad" as const } : {})}
      />
    </dl>
  );
}

function Active({ status }: { status: Status | undefined }) {
  const sweep = status ? activeSweep(status.sweeps) : null;
  if (!sweep) return null;
  return (
    <div className="full">
      <LiveSweep key={sweep.id} sweep={sweep} />
    </div>
  );
}

function Looks({ status }: { status: Status }) {
  const found = looks(status.sweeps);
  if (found.length) return <LooksChart looks={found} />;
  return (
    <Empty
      icon={ChartColumnStacked}
      title="Nobody has looked yet"
      action={
        <Link href="/migration" className="button primary">
          <Play aria-hidden size={16} />
          <span>Start a verification</span>
        </Link>
      }
    >
      The first sweep that ends is the first column here.
    </Empty>
  );
}

function Health({ status }: { status: Status | undefined }) {
  const lines: [string, ReactNode][] = status
    ? [
        [
          "Stream mapping",
          <State key="m" good={status.mapping.state === "Enabled"} text={status.mapping.state ?? "unknown"} />,
        ],
        [
          "Stream carries",
          <State
            key="s"
            good={status.stream.viewType === "KEYS_ONLY"}
            soft
            text={VIEWS[status.stream.viewType ?? ""] ?? "unknown"}
          />,
        ],
        ["Work queue", items(status.workQueue.messages, "message")],
        ["Put-off keys", items(status.deferredQueue.messages, "message")],
        [
          "Failure queue",
          <State key="f" good={!status.failureQueue.messages} text={items(status.failureQueue.messages, "message")} />,
        ],
        ["Key", <State key="k" good={status.key.state === "Enabled"} text={status.key.state ?? "unknown"} />],
        [
          "Key rotation",
          <State
            key="r"
            good={Boolean(status.key.rotationEnabled)}
            soft
            text={status.key.rotationEnabled ? "on" : "off or unknown"}
          />,
        ],
        [
          "Point-in-time recovery",
          status.recovery.pitr ? (
            items(status.recovery.days ?? 35, "day")
          ) : (
            <State key="p" good={false} soft text="off" />
          ),
        ],
      ]
    : [];
  return (
    <Card title="What it runs on" className="third">
      {status ? (
        <dl className="lines">
          {lines.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <Skeleton lines={8} />
      )}
    </Card>
  );
}

const VIEWS: Record<string, string> = {
  KEYS_ONLY: "keys only",
  NEW_IMAGE: "new images",
  OLD_IMAGE: "old images",
  NEW_AND_OLD_IMAGES: "new and old images",
};

function State({ good, text, soft = false }: { good: boolean; text: string; soft?: boolean }) {
  const tone: Tone = good ? "good" : soft ? "warn" : "bad";
  return <Badge tone={tone}>{text}</Badge>;
}

const SPANS = [
  { hours: 3, name: "3 h" },
  { hours: 24, name: "24 h" },
  { hours: 168, name: "7 d" },
];

function Window() {
  const { api } = useService();
  const [hours, setHours] = useState(24);
  const window = useResource(`window-${hours}`, (signal) => api.plaintextWindow(hours, signal), 60_000);
  const last = window.data?.points.at(-1);
  const controls = (
    <ToggleGroup
      className="toggles"
      aria-label="Time shown"
      value={[String(hours)]}
      onValueChange={([chosen]) => chosen && setHours(Number(chosen))}
    >
      {SPANS.map((span) => (
        <Toggle key={span.hours} value={String(span.hours)} className="toggle">
          {span.name}
        </Toggle>
      ))}
    </ToggleGroup>
  );
  return (
    <Card
      title="Plaintext window"
      lead={
        last
          ? `From a write to its encryption: lately ${milliseconds(last.p50)} in the median, ${milliseconds(last.p99)} for the slowest hundredth.`
          : "From a write to its encryption."
      }
      className="full"
    >
      {window.error && !window.data ? (
        <div className="chart-size">
          <Problem
            title="The window could not be read"
            error={window.error}
            retry={window.refresh}
            busy={window.busy}
          />
        </div>
      ) : !window.data ? (
        <Skeleton of="window" />
      ) : window.data.points.length ? (
        <WindowChart window={window.data} hours={hours} until={new Date(window.at ?? 0)} controls={controls} />
      ) : (
        <>
          <div className="chart-bar end">{controls}</div>
          <Empty icon={Hourglass} title="No writes in this time">
            Each write that is encrypted from the stream is measured.
          </Empty>
        </>
      )}
    </Card>
  );
}

function Changes({ history }: { history: Setting[] }) {
  if (!history.length) {
    return (
      <Empty icon={History} title="Never changed">
        The setting is as it was deployed.
      </Empty>
    );
  }
  return (
    <Table
      caption="Changes of the setting, newest first"
      rows={history}
      keyOf={(change) => String(change.version)}
      columns={[
        { name: "Changed", heads: true, cell: (change) => <Time at={change.changedAt} /> },
        {
          name: "Encryption",
          cell: (change) => <Badge tone={stateTone(change)}>{stateWords(change)}</Badge>,
        },
        { name: "Version", align: "end", cell: (change) => change.version },
        { name: "By", wide: true, cell: (change) => change.changedBy ?? "–" },
      ]}
    />
  );
}
