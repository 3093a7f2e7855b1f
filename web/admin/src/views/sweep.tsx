/** One sweep: how far it is, segment by segment, and what became of the items. */

import { ArrowLeft, FileCheck2, SearchX } from "lucide-react";
import { Link } from "wouter";

import { Refused } from "../api/errors";
import type { SweepDetail } from "../api/types";
import { count, items, percent, rate, short } from "../format";
import { segmentProgress } from "../sweeps/progress";
import { CENSUS, GOALS, OUTCOMES, took } from "../sweeps/words";
import { Page } from "../ui/page";
import { Card, Empty, Facts, Reading, Skeleton, Time } from "../ui/parts";
import { Problem } from "../ui/problem";
import { ProgressBar } from "../ui/progress";
import { Table } from "../ui/table";
import { SweepBadge, SweepControls, SweepProgress, useSweep } from "./live-sweep";
import { FailuresLink } from "./start-form";

export function SweepView({ id }: { id: string }) {
  const followed = useSweep(id);
  const { data: sweep, error } = followed;
  const above = (
    <Link href="/migration" className="back">
      <ArrowLeft aria-hidden size={16} /> Migration
    </Link>
  );
  if (!sweep && error instanceof Refused && error.status === 404) {
    return (
      <Page title="Sweep" above={above}>
        <Empty icon={SearchX} title="There is no such sweep">
          <code>{id}</code>
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title={sweep ? `${GOALS[sweep.goal].name} sweep` : "Sweep"}
      lead={<code>{id}</code>}
      above={above}
      reads={[followed]}
      actions={
        sweep?.goal === "verify" && sweep.state === "done" ? (
          <Link href={`/report/${encodeURIComponent(id)}`} className="button plain">
            <FileCheck2 aria-hidden size={16} />
            <span>Report</span>
          </Link>
        ) : null
      }
    >
      {error && !sweep && (
        <Problem title="The sweep could not be read" error={error} retry={followed.refresh} busy={followed.busy} />
      )}
      {!sweep && !error && <Reading what="the sweep" />}
      <div className="grid">
        <Card title="Progress" className="full" actions={sweep && <SweepBadge state={sweep.state} />}>
          {sweep ? (
            <>
              <SweepProgress sweep={sweep} />
              <SweepControls sweep={sweep} changed={followed.refresh} />
            </>
          ) : (
            <Skeleton lines={4} />
          )}
        </Card>
        <Card title="Segments" lead="Parts of the table, each with a place of its own to go on from." className="full">
          {sweep ? <Segments sweep={sweep} /> : <Skeleton of="form" />}
        </Card>
        <Card className="half" title={sweep?.goal === "verify" ? "Items by state" : "What became of items"}>
          {sweep ? <Outcome sweep={sweep} /> : <Skeleton lines={4} />}
        </Card>
        <Card className="half" title="As it was asked for">
          {sweep ? <Asked sweep={sweep} /> : <Skeleton lines={5} />}
        </Card>
        {sweep && Object.keys(sweep.attributes).length > 0 && <Attributes sweep={sweep} />}
      </div>
    </Page>
  );
}

function Segments({ sweep }: { sweep: SweepDetail }) {
  return (
    <ul className="segments">
      {sweep.segmentsDetail.map((segment) => {
        const done = segment.state === "done";
        const share = segmentProgress(segment.scanned, done, sweep);
        return (
          <li key={segment.segment}>
            <span className="segment-name">{segment.segment + 1}</span>
            <ProgressBar
              share={share}
              label={`Segment ${segment.segment + 1}`}
              tone={done ? "done" : segment.state === "running" ? "live" : "still"}
            />
            <span className="segment-count" title={`${items(segment.scanned)} in ${items(segment.pages, "page")}`}>
              {short(segment.scanned)}
              <span className="soft">{done ? " done" : segment.state === "running" ? " running" : " waits"}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Outcome({ sweep }: { sweep: SweepDetail }) {
  const words = sweep.goal === "verify" ? CENSUS : OUTCOMES;
  const known = Object.keys(words).filter((name) => sweep.goal === "verify" || (sweep.counts[name] ?? 0) > 0);
  const others = Object.keys(sweep.counts).filter((name) => !(name in words));
  const names = [...known, ...others];
  const failed = sweep.counts.failed ?? 0;
  const outside = Object.keys(CENSUS).filter((name) => (sweep.outside[name] ?? 0) > 0);
  if (!names.length) return <p className="soft">Nothing was read yet.</p>;
  return (
    <>
      {outside.length > 0 && <p className="soft">In the part that encryption was on for:</p>}
      <dl className="lines">
        {names.map((name) => {
          const number = sweep.counts[name] ?? 0;
          return (
            <div key={name} className={number ? undefined : "zero"}>
              <dt>{words[name] ?? name}</dt>
              <dd>
                {count(number)} <span className="soft share">{percent(number, sweep.scanned)}</span>
              </dd>
            </div>
          );
        })}
      </dl>
      {outside.length > 0 && (
        <>
          <p className="soft">Outside of the part, where it was off:</p>
          <dl className="lines">
            {outside.map((name) => (
              <div key={name}>
                <dt>{CENSUS[name]}</dt>
                <dd>
                  {count(sweep.outside[name] ?? 0)}{" "}
                  <span className="soft share">{percent(sweep.outside[name] ?? 0, sweep.scanned)}</span>
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {failed > 0 && <FailuresLink failed={failed} />}
    </>
  );
}

function Asked({ sweep }: { sweep: SweepDetail }) {
  return (
    <Facts
      of={[
        ["By", sweep.startedBy ?? "–"],
        ["Started", <Time key="s" at={sweep.startedAt} />],
        ["Ended", sweep.finishedAt ? <Time key="f" at={sweep.finishedAt} /> : "–"],
        ["Took", took(sweep)],
        ["Segments", count(sweep.segments)],
        ["Rate", sweep.rate ? `${rate(sweep.rate)} at most` : "as fast as the table and KMS bear"],
        ...(sweep.olderThan
          ? [["Keys older than", <Time key="o" at={sweep.olderThan} form="date" />] as [string, React.ReactNode]]
          : []),
        ...(sweep.goal === "verify"
          ? [
              [
                "Values",
                sweep.deep
                  ? `${count(sweep.values.decrypted)} of ${count(sweep.values.seen)} decrypted`
                  : `${count(sweep.values.seen)}, by their headers`,
              ] as [string, React.ReactNode],
            ]
          : []),
        ["Setting", `version ${sweep.settingVersion}`],
      ]}
    />
  );
}

function Attributes({ sweep }: { sweep: SweepDetail }) {
  return (
    <Card title="By attribute" className="full">
      <Table
        caption="Items by where each attribute is"
        rows={Object.entries(sweep.attributes)}
        keyOf={([name]) => name}
        columns={[
          { name: "Attribute", heads: true, wide: true, cell: ([name]) => <code>{name}</code> },
          { name: "In plaintext", align: "end", cell: ([, places]) => count(places.plaintext) },
          { name: "Encrypted", align: "end", cell: ([, places]) => count(places.encrypted) },
          { name: "Absent", align: "end", cell: ([, places]) => count(places.absent) },
        ]}
      />
    </Card>
  );
}
