/** The compliance report: evidence by one verification, to read and to take along. */

import { CircleCheckBig, CircleDashed, Download, FileCheck2, OctagonAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";

import { NotAdministrator, NotSignedIn } from "../api/errors";
import type { Report, Sweep } from "../api/types";
import { download } from "../download";
import { count, items, percent, shortKey } from "../format";
import { useRefused, useResource } from "../resource";
import { useService } from "../service";
import { newestCensus, sum } from "../sweeps/census";
import { stateWords } from "../sweeps/part";
import { CENSUS } from "../sweeps/words";
import { Page } from "../ui/page";
import { Badge, Button, Card, Copyable, Empty, Facts, Figure, Reading, Skeleton, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";
import { Table } from "../ui/table";

export function ReportView({ sweep: asked }: { sweep: string | undefined }) {
  const { api, status } = useService();
  const finished = (status.data?.sweeps ?? []).filter((sweep) => sweep.goal === "verify" && sweep.state === "done");
  const chosen = asked ?? newestCensus(finished)?.id ?? null;
  const report = useResource(chosen && `report-${chosen}`, (signal) => api.report(chosen ?? "", signal));
  const none = status.data && !chosen;
  return (
    <Page
      title="Compliance report"
      lead="Evidence by one verification. It states what was found; it certifies nothing."
      reads={chosen ? [report] : []}
      actions={report.data && chosen && <Downloads sweep={chosen} />}
    >
      {status.error && !status.data && !chosen && (
        <Problem
          title="The verifications could not be read"
          error={status.error}
          retry={status.refresh}
          busy={status.busy}
        />
      )}
      {report.error && (
        <Problem
          title={report.data ? "The report could not be read again" : "The report could not be made"}
          error={report.error}
          retry={report.refresh}
          busy={report.busy}
        />
      )}
      {none ? (
        <Card>
          <Empty
            icon={FileCheck2}
            title="No verification has ended yet"
            action={<Link href="/migration">Start a verification</Link>}
          >
            A report rests on one. With every value decrypted, it can say the most.
          </Empty>
        </Card>
      ) : report.data ? (
        <>
          {finished.length > 1 && <Others finished={finished} chosen={chosen} />}
          <Evidence report={report.data} />
        </>
      ) : (
        !report.error && (
          <Card>
            <Reading what="the report" />
            <Skeleton lines={2} />
            <Skeleton of="form" />
          </Card>
        )
      )}
    </Page>
  );
}

function Others({ finished, chosen }: { finished: Sweep[]; chosen: string | null }) {
  return (
    <nav aria-label="Verifications" className="strip">
      {finished.map((sweep) => (
        <Link
          key={sweep.id}
          href={`/report/${encodeURIComponent(sweep.id)}`}
          aria-current={sweep.id === chosen ? "page" : undefined}
        >
          <Time at={sweep.finishedAt} form="short" />
          {sweep.deep && <span className="soft"> deep</span>}
        </Link>
      ))}
    </nav>
  );
}

function Downloads({ sweep }: { sweep: string }) {
  const { api } = useService();
  const refused = useRefused();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  // Both of one answer: the page names the hash of the other file.
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      const { name, json, html } = await api.reportFiles(sweep);
      download(`${name}.json`, "application/json", json);
      download(`${name}.html`, "text/html", html);
    } catch (thrown) {
      if (thrown instanceof NotSignedIn || thrown instanceof NotAdministrator) return refused(thrown);
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button icon={Download} busy={busy} onClick={() => void save()}>
        Download HTML and JSON
      </Button>
      {error && <Problem title="The files could not be made" error={error} />}
    </>
  );
}

const VERDICTS = {
  "as-it-should-be": {
    tone: "good",
    title: "All is as it should be: every value was decrypted.",
    icon: CircleCheckBig,
  },
  "as-it-should-be-by-headers": {
    tone: "warn",
    title: "By the headers all is as it should be. No value was decrypted.",
    icon: CircleDashed,
  },
  "not-as-it-should-be": { tone: "bad", title: "Not all is as it should be.", icon: OctagonAlert },
} as const;

function Evidence({ report }: { report: Report }) {
  const { verification: seen, table, key, setting } = report;
  const { tone, title, icon: Icon } = VERDICTS[report.verdict] ?? VERDICTS["not-as-it-should-be"];
  return (
    <div className="grid report">
      <div className="full">
        <Note tone={tone} title={title} icon={<Icon aria-hidden size={20} />}>
          {report.findings.length > 0 && (
            <ul className="notes">
              {report.findings.map((finding) => (
                <li key={finding}>{finding}</li>
              ))}
            </ul>
          )}
          <p className="soft small">
            <Time at={report.generatedAt} /> · stack {report.stack.name} · {report.stack.region} · by{" "}
            {report.generatedBy}
          </p>
        </Note>
      </div>
      <dl className="figures full">
        <Figure label="Items looked at" value={count(seen.items)} />
        <Figure
          label="Values decrypted"
          value={count(seen.values.decrypted)}
          note={`of ${count(seen.values.seen)} seen`}
        />
        <Figure label="With plaintext" value={count(sum(seen.byState, ["plaintext", "mixed"]))} />
        <Figure label="Open failures" value={count(report.failures.messages)} />
      </dl>
      <Card title="What is in the table" className="half">
        <dl className="lines">
          {Object.entries(CENSUS)
            .filter(([state]) => state !== "failed")
            .map(([state, words]) => (
              <div key={state} className={seen.byState[state] ? undefined : "zero"}>
                <dt>{words}</dt>
                <dd>
                  {count(seen.byState[state] ?? 0)}{" "}
                  <span className="soft share">{percent(seen.byState[state] ?? 0, seen.items)}</span>
                </dd>
              </div>
            ))}
        </dl>
      </Card>
      <Card title="By attribute" className="half">
        <Table
          caption="Items by where each attribute is"
          rows={Object.entries(seen.byAttribute)}
          keyOf={([name]) => name}
          columns={[
            { name: "Attribute", heads: true, wide: true, cell: ([name]) => <code>{name}</code> },
            { name: "In plaintext", align: "end", cell: ([, places]) => count(places.plaintext) },
            { name: "Encrypted", align: "end", cell: ([, places]) => count(places.encrypted) },
            { name: "Absent", align: "end", cell: ([, places]) => count(places.absent) },
          ]}
        />
        {Object.entries(seen.notListed).map(([name, number]) => (
          <p key={name} className="warn-text">
            {items(number)} with ciphertext in <code>{name}</code>, which no listed attribute is behind.
          </p>
        ))}
      </Card>
      <Copies report={report} />
      <Card title="Table and encryption" className="half">
        <Facts
          of={[
            ["Table", <Copyable key="t" text={table.arn} label="table ARN" />],
            ["Attributes", table.encryptedAttributes.join(", ") || "none"],
            ["No longer", table.earlierAttributes.join(", ") || "none"],
            ["Algorithm", <code key="a">{report.encryption.algorithm}</code>],
            ["Bound to", [...report.encryption.contextAttributes, `purpose = ${report.encryption.purpose}`].join(", ")],
            ["Stream carries", table.streamViewType ?? "unknown"],
            ["Stream mapping", table.streamMapping ?? "unknown"],
            ["Encryption", setting ? `${stateWords(setting)}, version ${setting.version}` : "unknown"],
          ]}
        />
      </Card>
      <Card title="Key" className="half">
        <Facts
          of={[
            ["Key", <Copyable key="k" text={key.arn} label="key ARN" />],
            ["State", key.state ?? "unknown"],
            [
              "Rotation",
              key.rotationEnabled ? `on, every ${items(key.rotationPeriodInDays ?? 365, "day")}` : "off or unknown",
            ],
            ["Next rotation", <Time key="n" at={key.nextRotationDate} form="date" />],
            ...Object.entries(seen.byKey).map(
              ([arn, number]) =>
                [
                  `Under ${shortKey(arn)}`,
                  <span key={arn} title={arn}>
                    {items(number)}
                  </span>,
                ] as [string, ReactNode],
            ),
          ]}
        />
      </Card>
      <Card title="How this was found" className="half">
        <Facts
          of={[
            [
              "Verification",
              <Link key="v" href={`/migration/${seen.sweep}`}>
                {seen.sweep}
              </Link>,
            ],
            ["By", seen.startedBy ?? "–"],
            ["From", <Time key="f" at={seen.startedAt} />],
            ["To", <Time key="t" at={seen.finishedAt} />],
            ["Method", `Each item was read consistently; ${seen.method}.`],
            [
              "Versions",
              Object.entries(report.versions)
                .map((pair) => pair.join(" "))
                .join(", "),
            ],
          ]}
        />
      </Card>
      <Card title="What this does not say" className="half">
        <ul className="notes soft">
          {report.limits.map((limit) => (
            <li key={limit}>{limit}</li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

function Copies({ report }: { report: Report }) {
  const { encryptedBy, basis, goneEverywhereBy, copies } = report.earlierPlaintext;
  return (
    <Card
      title="Until when earlier plaintext can be restored"
      className="full"
      lead={
        encryptedBy ? (
          <>
            Encrypted by <Time at={encryptedBy} /> ({basis}).{" "}
            {goneEverywhereBy ? (
              <>
                The last copy listed here ceases to hold it by <Time at={goneEverywhereBy} form="date" />.
              </>
            ) : (
              "No date is known for the last copy."
            )}
          </>
        ) : (
          `${basis} No date can be given.`
        )
      }
    >
      <Table
        caption="Copies of the table"
        rows={copies}
        keyOf={(copy) => copy.name}
        columns={[
          { name: "Copy", heads: true, cell: (copy) => copy.name },
          {
            name: "Earlier plaintext",
            cell: (copy) =>
              !copy.mayHold ? (
                <Badge tone="good">none</Badge>
              ) : copy.until ? (
                <Badge tone="warn">
                  until&nbsp;
                  <Time at={copy.until} form="date" />
                </Badge>
              ) : (
                <Badge tone="bad">no date</Badge>
              ),
          },
          { name: "Why", wide: true, cell: (copy) => copy.note },
        ]}
      />
    </Card>
  );
}
