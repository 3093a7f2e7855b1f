/** Migration: what is to be done, starting it, and the sweeps that were. */

import { Shuffle } from "lucide-react";
import { Link } from "wouter";

import type { Status, Sweep } from "../api/types";
import { count } from "../format";
import { useService } from "../service";
import { activeSweep } from "../sweeps/census";
import { GOALS, took } from "../sweeps/words";
import { Page, Unread } from "../ui/page";
import { Card, Empty, Reading, Skeleton, Time } from "../ui/parts";
import { Table } from "../ui/table";
import { LiveSweep, SweepBadge } from "./live-sweep";
import { StartForm } from "./start-form";

export function MigrationView() {
  const { status } = useService();
  if (status.error && !status.data) return <Unread title="Migration" status={status} />;
  const sweep = status.data ? activeSweep(status.data.sweeps) : null;
  return (
    <Page title="Migration" lead="A sweep goes over the whole table once, for one goal." reads={[status]}>
      {!status.data && <Reading what="the sweeps" />}
      <div className="grid">
        {sweep && (
          <div className="full">
            <LiveSweep key={sweep.id} sweep={sweep} />
          </div>
        )}
        <Card title="Start a sweep" className="full">
          {status.data ? <StartForm status={status.data} goals={goals(status.data)} /> : <Skeleton of="form" />}
        </Card>
        <Card title="Sweeps" lead="The newest 20; those that run or are paused first." className="full">
          {status.data ? <Sweeps sweeps={status.data.sweeps} /> : <Skeleton lines={6} />}
        </Card>
      </div>
    </Page>
  );
}

/** Returns the goals, that which the setting calls for first. */
function goals({ setting, sweeps }: Status): ("verify" | "encrypt" | "re-encrypt" | "decrypt")[] {
  const counted = sweeps.some((sweep) => sweep.goal === "verify" && sweep.state === "done");
  if (!counted) return ["verify", "encrypt", "re-encrypt", "decrypt"];
  return setting.enabled
    ? ["encrypt", "re-encrypt", "verify", "decrypt"]
    : ["verify", "decrypt", "encrypt", "re-encrypt"];
}

function Sweeps({ sweeps }: { sweeps: Sweep[] }) {
  if (!sweeps.length) {
    return (
      <Empty icon={Shuffle} title="No sweep yet">
        A verification counts the items by state and changes nothing: a good one to begin with.
      </Empty>
    );
  }
  return (
    <Table
      caption="Sweeps"
      rows={sweeps}
      keyOf={(sweep) => sweep.id}
      columns={[
        { name: "Sweep", heads: true, cell: (sweep) => <Link href={`/migration/${sweep.id}`}>{sweep.id}</Link> },
        { name: "Goal", cell: (sweep) => GOALS[sweep.goal].name + (sweep.deep ? ", deep" : "") },
        { name: "State", cell: (sweep) => <SweepBadge state={sweep.state} /> },
        { name: "Items", align: "end", cell: (sweep) => count(sweep.scanned) },
        { name: "Failed", align: "end", cell: (sweep) => <Failed sweep={sweep} /> },
        { name: "Started", cell: (sweep) => <Time at={sweep.startedAt} form="short" /> },
        { name: "By", clipped: true, cell: (sweep) => sweep.startedBy ?? "–" },
        { name: "Took", align: "end", cell: (sweep) => took(sweep) },
      ]}
    />
  );
}

function Failed({ sweep }: { sweep: Sweep }) {
  const failed = sweep.counts.failed ?? 0;
  return failed ? <span className="bad-text">{count(failed)}</span> : <span className="soft">0</span>;
}
