/** Failures: a sample of the dead letters, trying them again, giving one up. */

import { CircleCheckBig, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import type { Failure, Redriven } from "../api/types";
import { count, items, keyParts } from "../format";
import { useResource } from "../resource";
import { useService } from "../service";
import { Confirm } from "../ui/confirm";
import { NumberInput, TextInput } from "../ui/fields";
import { Page } from "../ui/page";
import { Button, Card, Copyable, Empty, Reading, Skeleton, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";
import { Table } from "../ui/table";

const SAMPLE = 50;

export function FailuresView() {
  const { api } = useService();
  // Not read by itself again: to look at a letter receives it, and SQS counts that.
  const failures = useResource("failures", (signal) => api.failures(SAMPLE, signal));
  const [redriving, setRedriving] = useState(false);
  const [redriven, setRedriven] = useState<Redriven | null>(null);
  const [discarding, setDiscarding] = useState<Failure | null>(null);
  const listed = failures.data?.failures ?? [];
  const total = Math.max(failures.data?.messages ?? 0, listed.length);
  return (
    <Page
      title="Failures"
      lead="What could not be encrypted, decrypted or read. The letters hold keys and reasons, never values."
      reads={[failures]}
      actions={
        <Button look="primary" icon={RotateCcw} disabled={!listed.length} onClick={() => setRedriving(true)}>
          Try again…
        </Button>
      }
    >
      {redriven && <Came redriven={redriven} />}
      <Card
        title={failures.data ? (total ? `About ${items(total, "letter")}` : "No open failures") : "Letters"}
        lead={
          failures.data
            ? total
              ? `A sample of ${count(listed.length)} is shown. Item keys may name users: handle them as personal data.`
              : "The failure queue is empty."
            : "\u00a0"
        }
      >
        {failures.error && !failures.data ? (
          <Problem
            title="The failures could not be read"
            error={failures.error}
            retry={failures.refresh}
            busy={failures.busy}
          />
        ) : !failures.data ? (
          <>
            <Reading what="the failures" />
            <Skeleton lines={6} />
          </>
        ) : listed.length ? (
          <Letters letters={listed} discard={setDiscarding} />
        ) : (
          <Empty icon={CircleCheckBig} title={total ? "None came just now" : "Nothing failed"}>
            {total
              ? "The queue counts some; they may be in somebody’s hands for up to five minutes. Read again later."
              : "What fails for good comes here, with its reason."}
          </Empty>
        )}
      </Card>
      {redriving && <Redrive close={() => setRedriving(false)} came={setRedriven} read={failures.refresh} />}
      {discarding && <Discard letter={discarding} close={() => setDiscarding(null)} read={failures.refresh} />}
    </Page>
  );
}

const KINDS: Record<Failure["kind"], string> = {
  item: "Item",
  mapping: "Stream batch",
  work: "Sweep’s work",
  unknown: "Unknown",
};

function Letters({ letters, discard }: { letters: Failure[]; discard: (letter: Failure) => void }) {
  return (
    <Table
      caption="Open failures"
      rows={letters}
      keyOf={(letter) => letter.id}
      columns={[
        { name: "Reason", heads: true, cell: (letter) => letter.reason?.replaceAll("-", " ") ?? "not told" },
        { name: "Kind", cell: (letter) => KINDS[letter.kind] },
        { name: "What", wide: true, cell: (letter) => <What letter={letter} /> },
        { name: "Tries", align: "end", cell: (letter) => count(letter.attempts) },
        { name: "Since", cell: (letter) => <Time at={letter.time} form="ago" /> },
        {
          name: "Discard",
          quiet: true,
          align: "end",
          cell: (letter) => (
            <Button
              look="quiet"
              icon={Trash2}
              onClick={() => discard(letter)}
              aria-label={`Discard the letter ${letter.id}`}
            >
              Discard…
            </Button>
          ),
        },
      ]}
    />
  );
}

/** Which part of the stream a letter of the mapping is about. */
function rangeParts(range: Record<string, string | null>): [string, string][] {
  const names = { shardId: "shard", startSequenceNumber: "from", endSequenceNumber: "to" };
  return Object.entries(names).flatMap(([member, name]): [string, string][] => {
    const value = range[member];
    return value ? [[name, value]] : [];
  });
}

function What({ letter }: { letter: Failure }) {
  const parts: [string, string][] = letter.key ? keyParts(letter.key) : letter.range ? rangeParts(letter.range) : [];
  if (!parts.length) return <code className="break">{letter.id}</code>;
  return (
    <dl className="pairs">
      {parts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{value}</code>
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface RedriveProps {
  close: () => void;
  came: (redriven: Redriven) => void;
  read: () => void;
}

function Redrive({ close, came, read }: RedriveProps) {
  const { api, status, tell } = useService();
  const [max, setMax] = useState<number | null>(100);
  return (
    <Confirm
      open
      close={close}
      title="Try the failures again?"
      does="Try again"
      ready={max !== null}
      act={async () => {
        const redriven = await api.redrive(max ?? 100);
        came(redriven);
        read();
        status.refresh();
        tell(
          `${items(redriven.done, "letter")} settled`,
          redriven.again ? `${count(redriven.again)} failed again.` : undefined,
        );
      }}
    >
      <p>
        Each letter’s key is looked at again. What succeeds leaves the queue; what fails again stays, with one try more.
      </p>
      <p className="soft">Mend the cause first. For a stream batch whose records are gone, a sweep is started.</p>
      <NumberInput label="Letters, at most" value={max} change={setMax} min={1} max={1000} />
    </Confirm>
  );
}

function Came({ redriven }: { redriven: Redriven }) {
  return (
    <Note
      tone={redriven.again ? "warn" : "good"}
      title={`${items(redriven.done, "letter")} settled, ${count(redriven.again)} failed again, about ${count(redriven.remaining)} in the queue`}
      icon={<RotateCcw aria-hidden size={18} />}
    >
      {redriven.sweep && (
        <p>
          The sweep <Link href={`/migration/${redriven.sweep}`}>{redriven.sweep}</Link> was started.
        </p>
      )}
      {redriven.notes.length > 0 && (
        <ul className="notes">
          {redriven.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}

function Discard({ letter, close, read }: { letter: Failure; close: () => void; read: () => void }) {
  const { api, status, tell } = useService();
  const [reason, setReason] = useState("");
  return (
    <Confirm
      open
      close={close}
      title="Discard this letter?"
      does="Discard it"
      danger
      word="discard"
      ready={reason.trim() !== ""}
      act={async () => {
        await api.discard(letter.id, reason.trim());
        read();
        status.refresh();
        tell("The letter is discarded", "The audit log keeps the reason.");
      }}
    >
      <p>It leaves the queue for good, and nobody tries it again. Its item stays as it is.</p>
      <div>
        <Copyable text={letter.id} label="letter’s id" />
      </div>
      <TextInput label="Reason" value={reason} change={setReason} help="The audit log keeps it." />
    </Confirm>
  );
}
