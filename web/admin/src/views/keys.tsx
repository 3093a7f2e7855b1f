/** Keys: the current one, how many items are under which, and bringing them under it. */

import { KeyRound } from "lucide-react";
import { Link } from "wouter";

import type { Status } from "../api/types";
import { count, items, percent, shortKey } from "../format";
import { useService } from "../service";
import { newestCensus } from "../sweeps/census";
import { Page, Unread } from "../ui/page";
import { Badge, Card, Copyable, Empty, Facts, Reading, Skeleton, Time } from "../ui/parts";
import { ProgressBar } from "../ui/progress";
import { Table } from "../ui/table";
import { StartForm } from "./start-form";
import { Tenants } from "./tenants";

export function KeysView() {
  const { status } = useService();
  if (status.error && !status.data) return <Unread title="Keys" status={status} />;
  return (
    <Page
      title="Keys"
      lead="Under which KMS key data keys are, and how to bring items under the current one."
      reads={[status]}
    >
      {!status.data && <Reading what="the keys" />}
      <div className="grid">
        <Card title="Current key" className="half" actions={status.data && <KeyBadge status={status.data} />}>
          {status.data ? <Current status={status.data} /> : <Skeleton lines={4} />}
        </Card>
        <Card title="What it encrypts" className="half">
          {status.data ? <Encrypts status={status.data} /> : <Skeleton lines={4} />}
        </Card>
        <Card title="Items by key" lead="As the newest verification counted them." className="full">
          {status.data ? <ByKey status={status.data} /> : <Skeleton lines={3} />}
        </Card>
        <Card
          title="Re-encrypt"
          lead="Each item gets a fresh data key under the current key. Values do not change; readers notice nothing."
          className="full"
        >
          {status.data ? <StartForm status={status.data} goals={["re-encrypt"]} /> : <Skeleton of="form" />}
        </Card>
        {status.data?.tenantKeys && <Tenants writes={status.data.tenantKeys.writes} />}
      </div>
    </Page>
  );
}

function KeyBadge({ status }: { status: Status }) {
  return <Badge tone={status.key.state === "Enabled" ? "good" : "bad"}>{status.key.state ?? "unknown"}</Badge>;
}

function Current({ status: { key, earlierKeys } }: { status: Status }) {
  return (
    <Facts
      of={[
        ["ARN", <Copyable key="a" text={key.arn} label="key ARN" />],
        [
          "Rotation",
          key.rotationEnabled ? (
            `on, every ${items(key.rotationPeriodInDays ?? 365, "day")}`
          ) : (
            <Badge key="r" tone="warn">
              off or unknown
            </Badge>
          ),
        ],
        ["Next rotation", <Time key="n" at={key.nextRotationDate} form="date" />],
        ["Earlier keys", earlierKeys.length ? `${count(earlierKeys.length)}, for decryption only` : "none"],
      ]}
    />
  );
}

function Encrypts({ status }: { status: Status }) {
  const codes = (names: string[]) =>
    names.length ? names.map((name, index) => [index ? ", " : "", <code key={name}>{name}</code>]) : "none";
  return (
    <Facts
      of={[
        ["Attributes", codes(status.attributes)],
        ["No longer", codes(status.earlierAttributes)],
        ["Bound to", codes([...status.contextAttributes, `purpose = ${status.purpose}`])],
        ["Algorithm", <code key="a">{status.algorithm}</code>],
      ]}
    />
  );
}

function ByKey({ status }: { status: Status }) {
  const census = newestCensus(status.sweeps);
  if (!census) {
    return (
      <Empty icon={KeyRound} title="Not counted yet" action={<Link href="/migration">Start a verification</Link>}>
        A verification counts how many items need each key.
      </Empty>
    );
  }
  const named = [status.key.arn, ...status.earlierKeys];
  const rows = [...named, ...Object.keys(census.underKey).filter((arn) => !named.includes(arn))].map((arn) => ({
    arn,
    number: census.underKey[arn] ?? 0,
    role: arn === status.key.arn ? "current" : status.earlierKeys.includes(arn) ? "earlier" : "other",
  }));
  const all = Math.max(
    1,
    ...rows.map((row) => row.number),
    rows.reduce((sum, row) => sum + row.number, 0),
  );
  return (
    <>
      <Table
        caption="Items by key"
        rows={rows}
        keyOf={(row) => row.arn}
        columns={[
          { name: "Key", heads: true, cell: (row) => <code title={row.arn}>{shortKey(row.arn)}</code> },
          {
            name: "Role",
            cell: (row) =>
              row.role === "current" ? (
                <Badge tone="good">current</Badge>
              ) : row.role === "earlier" ? (
                <Badge tone={row.number ? "warn" : "unknown"}>earlier</Badge>
              ) : (
                <Badge tone="bad">not listed</Badge>
              ),
          },
          {
            name: "Share",
            wide: true,
            cell: (row) => (
              <ProgressBar
                share={row.number / all}
                label={`Share of ${shortKey(row.arn)}`}
                tone={row.role === "current" ? "done" : "still"}
              />
            ),
          },
          { name: "Items", align: "end", cell: (row) => count(row.number) },
          { name: "Of all", align: "end", cell: (row) => percent(row.number, all) },
        ]}
      />
      <p className="soft small">
        Counted <Time at={census.finishedAt} /> by the sweep <Link href={`/migration/${census.id}`}>{census.id}</Link>.
        A key may be disabled or deleted only when no item is under it, in the table and in every backup that is to be
        read again.
      </p>
    </>
  );
}
