/** Starting a sweep: what for, how, and what that comes to. */

import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import { Play, TriangleAlert } from "lucide-react";
import { type ReactNode, type SubmitEvent, useId, useState } from "react";
import { Link, useLocation } from "wouter";

import { NotAdministrator, NotSignedIn, Refused } from "../api/errors";
import type { Goal, StartSweep, Status } from "../api/types";
import { duration, items, rate } from "../format";
import { useRefused } from "../resource";
import { useService } from "../service";
import { type Plan, plan } from "../sweeps/plan";
import { GOALS } from "../sweeps/words";
import { Confirm } from "../ui/confirm";
import { CheckInput, NumberInput } from "../ui/fields";
import { Button, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";

const MOST_SEGMENTS = 1000;
const HIGHEST_RATE = 1_000_000;
const LONGEST_AGE = 36_500;

/** Returns why the setting forbids a goal, or null where it does not. */
export function forbidden(goal: Goal, enabled: boolean): string | null {
  if (goal === "verify" || (goal === "decrypt") !== enabled) return null;
  return enabled ? "Encryption is on." : "Encryption is off.";
}

interface StartFormProps {
  status: Status;
  /** The goals to choose from; one alone is not asked for. */
  goals: Goal[];
}

export function StartForm({ status, goals }: StartFormProps) {
  const enabled = status.setting.enabled;
  const [chosen, choose] = useState<Goal>(() => goals.find((goal) => !forbidden(goal, enabled)) ?? (goals[0] as Goal));
  const [segments, setSegments] = useState<number | null>(null);
  const [rate, setRate] = useState<number | null>(null);
  const [deep, setDeep] = useState(false);
  const [days, setDays] = useState<number | null>(null);
  const [asked, ask] = useState<StartSweep | null>(null);
  const [, go] = useLocation();
  const { api, status: read, tell } = useService();
  const refused = useRefused();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const why = forbidden(chosen, enabled);
  const planned = plan(status, chosen, rate, chosen === "re-encrypt" && days === 0);

  const wanted: StartSweep = {
    goal: chosen,
    ...(segments === null ? {} : { segments }),
    ...(rate === null ? {} : { rate }),
    ...(chosen === "verify" && deep ? { deep } : {}),
    ...(chosen === "re-encrypt" && days !== null ? { olderThanDays: days } : {}),
  };
  const start = async (sweep: StartSweep) => {
    const started = await api.start(sweep);
    read.refresh();
    tell(`The sweep to ${GOALS[sweep.goal].verb} is started`);
    go(`/migration/${started.id}`);
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy || why) return;
    setError(null);
    if (chosen === "decrypt") return ask({ ...wanted, confirm: "decrypt" });
    setBusy(true);
    try {
      await start(wanted);
    } catch (thrown) {
      if (thrown instanceof NotSignedIn || thrown instanceof NotAdministrator) return refused(thrown);
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="start" onSubmit={submit}>
      <div className="stack">
        {goals.length > 1 && <GoalChoice goals={goals} chosen={chosen} choose={choose} enabled={enabled} />}
        <div className="fields">
          <NumberInput
            label="Segments"
            value={segments}
            change={setSegments}
            min={1}
            max={MOST_SEGMENTS}
            placeholder="4"
            help="Parts of the table that are worked on side by side."
          />
          <NumberInput
            label="Items a second, at most"
            value={rate}
            change={setRate}
            min={1}
            max={HIGHEST_RATE}
            placeholder="no ceiling"
            help="Leaves capacity of the table to its users."
          />
          {chosen === "re-encrypt" && (
            <NumberInput
              label="Data keys older than, in days"
              value={days}
              change={setDays}
              min={0}
              max={LONGEST_AGE}
              placeholder="of any age stay"
              help="Left empty, only earlier keys and old forms are replaced; 0 takes every item."
            />
          )}
        </div>
        {chosen === "verify" && (
          <CheckInput
            label="Decrypt every value to check it"
            checked={deep}
            change={setDeep}
            help="Else the headers are read, which shows the state and the key, and not whether a value can be decrypted."
          />
        )}
      </div>
      <PlanCard status={status} goal={chosen} planned={planned}>
        {error && <StartProblem error={error} wanted={wanted} force={(sweep) => ask(sweep)} />}
        <Button type="submit" look="primary" icon={Play} busy={busy} disabled={why !== null} className="wide-button">
          {chosen === "decrypt" ? "Decrypt the table…" : `Start ${GOALS[chosen].doing}`}
        </Button>
        {why && (
          <p className="soft small">
            {why} A sweep to {GOALS[chosen].verb} needs it to be {enabled ? "off" : "on"}.
          </p>
        )}
      </PlanCard>
      {asked && <StartDialog sweep={asked} status={status} close={() => ask(null)} act={() => start(asked)} />}
    </form>
  );
}

interface GoalChoiceProps {
  goals: Goal[];
  chosen: Goal;
  choose: (goal: Goal) => void;
  enabled: boolean;
}

function GoalChoice({ goals, chosen, choose, enabled }: GoalChoiceProps) {
  const id = useId();
  return (
    <div>
      <p className="label" id={id}>
        What for
      </p>
      <RadioGroup aria-labelledby={id} value={chosen} onValueChange={choose} className="choices">
        {goals.map((goal) => {
          const why = forbidden(goal, enabled);
          return (
            <Radio.Root
              key={goal}
              value={goal}
              disabled={why !== null}
              className="choice"
              aria-labelledby={`${id}${goal}n`}
              aria-describedby={`${id}${goal}d`}
            >
              <span className="radio" aria-hidden>
                <Radio.Indicator className="radio-dot" />
              </span>
              <span>
                <span className="choice-name" id={`${id}${goal}n`}>
                  {GOALS[goal].name}
                </span>
                <span className="soft small" id={`${id}${goal}d`}>
                  {GOALS[goal].does}
                  {why && ` ${why}`}
                </span>
              </span>
            </Radio.Root>
          );
        })}
      </RadioGroup>
    </div>
  );
}

interface PlanCardProps {
  status: Status;
  goal: Goal;
  planned: Plan;
  children: ReactNode;
}

function PlanCard({ status, goal, planned, children }: PlanCardProps) {
  const { reads, writes, census, seconds, pace } = planned;
  const later =
    census &&
    status.sweeps.some((sweep) => sweep.goal !== "verify" && sweep.startedAt > census.startedAt && sweep.scanned);
  return (
    <section className="plan" aria-label="Plan">
      <h3>Plan</h3>
      <dl className="lines" aria-live="polite">
        <div>
          <dt>Reads</dt>
          <dd>about {items(reads)}</dd>
        </div>
        <div>
          <dt>Writes</dt>
          <dd>{goal === "verify" ? "nothing" : told(writes)}</dd>
        </div>
        <div>
          <dt>Takes</dt>
          <dd>{seconds === null ? "not known yet" : `about ${duration(seconds)}`}</dd>
        </div>
      </dl>
      <p className="soft small plan-basis">
        {census ? (
          <>
            By the count of <Time at={census.finishedAt} form="short" />
            {later ? "; sweeps have changed the table since. " : ". "}
          </>
        ) : (
          "No verification has counted the items by state yet. "
        )}
        {pace === null
          ? "No sweep has shown a pace yet."
          : pace.from === "rate"
            ? `The time is that of ${rate(pace.perSecond)}.`
            : `The time is that of the newest sweep to ${GOALS[pace.sweep.goal].verb}, ${rate(pace.perSecond)} in ${items(pace.sweep.segments, "segment")}.`}
      </p>
      {children}
    </section>
  );
}

function told(writes: number | null): string {
  if (writes === null) return "not counted yet";
  return writes ? `about ${items(writes)}` : "nothing, by that count";
}

/** Says why a sweep was not started, and where it can be forced, how. */
function StartProblem({
  error,
  wanted,
  force,
}: {
  error: Error;
  wanted: StartSweep;
  force: (sweep: StartSweep) => void;
}) {
  const forcible = error instanceof Refused && (error.code === "conflict" || error.code === "mapping-not-enabled");
  return (
    <Problem title="The sweep was not started" error={error}>
      {forcible && <Button onClick={() => force({ ...wanted, force: true })}>Start all the same…</Button>}
    </Problem>
  );
}

interface StartDialogProps {
  sweep: StartSweep;
  status: Status;
  close: () => void;
  act: () => Promise<void>;
}

function StartDialog({ sweep, status, close, act }: StartDialogProps) {
  const decrypts = sweep.goal === "decrypt";
  return (
    <Confirm
      open
      close={close}
      title={decrypts ? "Decrypt the whole table?" : "Start all the same?"}
      does={decrypts ? "Decrypt the table" : "Start the sweep"}
      danger={decrypts}
      {...(decrypts ? { word: "decrypt" } : {})}
      act={act}
    >
      {decrypts && (
        <>
          <p>
            The table <code>{status.table}</code>, about {items(status.tableItemCount)}, is brought back to plaintext
            and stays so until encryption is switched on again.
          </p>
          <p className="soft">Backups and point-in-time recovery will hold that plaintext too.</p>
        </>
      )}
      {sweep.force && (
        <Note tone="warn" title="This overrides a check" icon={<TriangleAlert aria-hidden size={18} />}>
          <p>
            A sweep that runs goes on beside this one. Beside a stream mapping that is not enabled, what writers write
            meanwhile stays in plaintext until a later sweep.
          </p>
        </Note>
      )}
    </Confirm>
  );
}

/** Where to look for what failed. */
export function FailuresLink({ failed }: { failed: number }) {
  return (
    <p>
      {items(failed)} failed. Each left a letter in the failure queue, as far as a sweep sends them:{" "}
      <Link href="/failures">look at the failures</Link>.
    </p>
  );
}
