/** Audit: what administrators did of late. */

import { ScrollText } from "lucide-react";

import type { Action } from "../api/types";
import { useResource } from "../resource";
import { useService } from "../service";
import { Page } from "../ui/page";
import { Badge, Card, Empty, Reading, Skeleton, Time, type Tone } from "../ui/parts";
import { Problem } from "../ui/problem";
import { Table } from "../ui/table";

const SHOWN = 100;

const WORDS: Record<string, string> = {
  start: "Started a sweep",
  pause: "Paused a sweep",
  resume: "Resumed a sweep",
  cancel: "Cancelled a sweep",
  "set-config": "Changed the setting",
  "change-config": "Changed the setting",
  redrive: "Tried failures again",
  discard: "Discarded a failure",
  report: "Made a report",
};

export function AuditView() {
  const { api } = useService();
  const actions = useResource("actions", (signal) => api.actions(SHOWN, signal), 30_000);
  return (
    <Page
      title="Audit"
      lead="What administrators, operators and schedules did of late. The audit log has all, for as long as it is kept."
      reads={[actions]}
    >
      <Card>
        {actions.error && !actions.data ? (
          <Problem
            title="The actions could not be read"
            error={actions.error}
            retry={actions.refresh}
            busy={actions.busy}
          />
        ) : !actions.data ? (
          <>
            <Reading what="the actions" />
            <Skeleton lines={8} />
          </>
        ) : actions.data.length ? (
          <Table
            caption="Actions of administrators, newest first"
            rows={actions.data.map((action, index) => ({ ...action, place: index }))}
            keyOf={(action) => `${action.time}${action.who}${action.place}`}
            columns={[
              { name: "Time", cell: (action) => <Time at={action.time} /> },
              { name: "Action", heads: true, cell: (action) => WORDS[action.action] ?? action.action },
              { name: "Result", cell: (action) => <Badge tone={tone(action.result)}>{action.result}</Badge> },
              { name: "Who", cell: (action) => <Who action={action} /> },
              { name: "Details", wide: true, cell: (action) => <Detail action={action} /> },
            ]}
          />
        ) : (
          <Empty icon={ScrollText} title="Nobody did anything yet">
            What is done from this page or by command is noted here.
          </Empty>
        )}
      </Card>
    </Page>
  );
}

function tone(result: string): Tone {
  if (result.startsWith("refused") || result === "conflict") return "warn";
  return result.startsWith("failed") ? "bad" : "good";
}

const FROM = { "admin-api": "this page", "config-api": "the API" };

function Who({ action: { who, via } }: { action: Action }) {
  if (via === undefined) return who;
  return (
    <div>
      {who}
      <div className="soft small">by {via ? FROM[via] : "command"}</div>
    </div>
  );
}

function Detail({ action: { detail } }: { action: Action }) {
  if (detail === null || detail === undefined || detail === "") return <span className="soft">–</span>;
  if (typeof detail !== "object") return String(detail);
  return (
    <dl className="pairs">
      {Object.entries(detail).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
