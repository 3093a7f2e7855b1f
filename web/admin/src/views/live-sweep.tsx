/** A sweep as it goes: followed while it runs, and steered. */

import { Ban, Gauge, Pause, Play } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import { NotAdministrator, NotSignedIn } from "../api/errors";
import type { Sweep, SweepDetail, SweepState } from "../api/types";
import { count, duration, items, percent, rate, short, when } from "../format";
import { type Resource, useRefused, useResource } from "../resource";
import { useService } from "../service";
import { expected, progress } from "../sweeps/progress";
import { GOALS, LIMITS, reasonWords, STATES, took } from "../sweeps/words";
import { Confirm } from "../ui/confirm";
import { NumberInput } from "../ui/fields";
import { Badge, Button, Card, Time, type Tone } from "../ui/parts";
import { Problem } from "../ui/problem";
import { ProgressBar } from "../ui/progress";

const FOLLOWED_EVERY = 2_000;

const TONES: Record<SweepState, Tone> = {
  running: "info",
  paused: "warn",
  cancelled: "unknown",
  stopped: "bad",
  done: "good",
};

export function SweepBadge({ state }: { state: SweepState }) {
  return <Badge tone={TONES[state]}>{STATES[state]}</Badge>;
}

/** Reads a sweep, and again and again while it runs. */
export function useSweep(id: string): Resource<SweepDetail> {
  const { api } = useService();
  const [runs, setRuns] = useState(true);
  const load = async (signal: AbortSignal) => {
    const sweep = await api.sweep(id, signal);
    setRuns(sweep.state === "running" || sweep.state === "paused");
    return sweep;
  };
  return useResource(`sweep-${id}`, load, runs ? FOLLOWED_EVERY : null);
}

/** A card with the sweep's progress and what can be done about it; `sweep` stands in until it was read by itself. */
export function LiveSweep({ sweep: known }: { sweep: Sweep }) {
  const followed = useSweep(known.id);
  const sweep = followed.data ?? known;
  return (
    <Card
      className="live"
      title={
        <Link href={`/migration/${sweep.id}`}>
          {GOALS[sweep.goal].name}: sweep {sweep.id}
        </Link>
      }
      lead={
        <>
          Started <Time at={sweep.startedAt} form="ago" />
          {sweep.startedBy && <> by {sweep.startedBy}</>}
        </>
      }
      actions={<SweepBadge state={sweep.state} />}
    >
      <SweepProgress sweep={sweep} />
      <SweepControls sweep={sweep} changed={followed.refresh} />
    </Card>
  );
}

export function SweepProgress({ sweep }: { sweep: Sweep }) {
  const share = progress(sweep);
  const ended = sweep.finishedAt !== null;
  const average = sweep.itemsPerSecond ? rate(sweep.itemsPerSecond) : "–";
  const idle = sweep.minutesWithoutProgress ?? 0;
  return (
    <div className="stack">
      <p className="visually-hidden" role="status">
        The sweep is {STATES[sweep.state].toLowerCase()}.
      </p>
      <ProgressBar
        share={share}
        label={`Progress of the sweep to ${GOALS[sweep.goal].verb}`}
        tone={sweep.state === "running" ? "live" : sweep.state === "done" ? "done" : "still"}
        tall
      />
      <dl className="pulse">
        <div>
          <dt>Read</dt>
          <dd>
            {count(sweep.scanned)}
            {sweep.state !== "done" && <span className="soft"> of about {count(expected(sweep))}</span>}
          </dd>
        </div>
        <div>
          <dt>Done</dt>
          <dd>{percent(Math.round(share * 1000), 1000)}</dd>
        </div>
        <div>
          <dt>{ended ? "Ceiling" : "Rate now"}</dt>
          <dd>
            {ended ? (sweep.rate ? rate(sweep.rate) : "none") : sweep.rateNow ? rate(sweep.rateNow) : "–"}
            {!ended && sweep.rate && <span className="soft"> of at most {short(sweep.rate)}</span>}
          </dd>
        </div>
        <div>
          <dt>On average</dt>
          <dd>{average}</dd>
        </div>
        <div>
          <dt>{ended ? "Took" : "Ends"}</dt>
          <dd>{ended ? took(sweep) : sweep.estimatedEnd ? <EstimatedEnd at={sweep.estimatedEnd} /> : "–"}</dd>
        </div>
        <div>
          <dt>Failed</dt>
          <dd className={sweep.itemsFailed ? "bad-text" : undefined}>{count(sweep.itemsFailed)}</dd>
        </div>
        <div>
          <dt>Segments</dt>
          <dd>
            {count(sweep.segmentsDone)} of {count(sweep.segments)}
            {!ended && <span className="soft"> done, {count(sweep.segmentsRunning)} running</span>}
          </dd>
        </div>
      </dl>
      <p className="soft small">{restraint(sweep)}</p>
      {sweep.state === "running" && idle >= 3 && (
        <p className="warn-text small">
          Nothing was committed for {items(idle, "minute")}. “Resume” queues its segments again.
        </p>
      )}
      {sweep.reason && <p className="bad-text">It stopped: {reasonWords(sweep.reason)}.</p>}
    </div>
  );
}

/** What keeps a sweep from going faster; a line in every state, so that nothing below it moves. */
function restraint(sweep: Sweep): string {
  if (sweep.finishedAt !== null) return "It has ended.";
  if (sweep.state === "paused") return "It rests, and goes on from where it is.";
  return `What limits its rate: ${sweep.limitedBy ? LIMITS[sweep.limitedBy] : "nothing that it met yet"}.`;
}

/** When a sweep ends if it goes on like this: by the clock, and in how long. */
function EstimatedEnd({ at }: { at: string }) {
  const end = new Date(at);
  const seconds = Math.max(0, (end.getTime() - Date.now()) / 1000);
  const shown = end.toDateString() === new Date().toDateString() ? when.clock(end) : when.short(end);
  return (
    <time dateTime={at} title={when.utc(end)}>
      about {shown}
      <span className="soft"> in {duration(seconds)}</span>
    </time>
  );
}

/** Asks for the ceiling of a sweep, and sets it. */
function RateDialog({ sweep, close, changed }: { sweep: Sweep; close: () => void; changed: (told: string) => void }) {
  const { api } = useService();
  const [ceiling, setCeiling] = useState(sweep.rate);
  return (
    <Confirm
      open
      close={close}
      title="How fast may it go?"
      does={ceiling === null ? "Set no ceiling" : "Set the ceiling"}
      act={async () => {
        await api.setRate(sweep.id, ceiling);
        changed(ceiling === null ? "The sweep has no ceiling" : `The sweep reads at most ${rate(ceiling)}`);
      }}
    >
      <p>
        It finds its own rate: slower where the table or KMS throttles, faster while nothing hinders it. A ceiling keeps
        it below that.
      </p>
      <NumberInput
        label="Items a second, at most"
        value={ceiling}
        change={setCeiling}
        min={1}
        max={1_000_000}
        placeholder="no ceiling"
        help="All segments together. Empty: no ceiling."
      />
    </Confirm>
  );
}

export function SweepControls({ sweep, changed }: { sweep: Sweep; changed: () => void }) {
  const { api, status, tell } = useService();
  const refused = useRefused();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [cancelling, setCancelling] = useState(false);
  const [rating, setRating] = useState(false);
  if (sweep.state !== "running" && sweep.state !== "paused") return null;

  const moved = (told: string) => {
    changed();
    status.refresh();
    tell(told);
  };
  const move = async (action: "pause" | "resume", told: string) => {
    setBusy(true);
    setError(null);
    try {
      await api.move(sweep.id, action);
      moved(told);
    } catch (thrown) {
      if (thrown instanceof NotSignedIn || thrown instanceof NotAdministrator) return refused(thrown);
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      changed();
    } finally {
      setBusy(false);
    }
  };
  const stuck = sweep.state === "running" && (sweep.minutesWithoutProgress ?? 0) >= 3;
  return (
    <div className="stack">
      <div className="controls">
        {sweep.state === "running" ? (
          <Button icon={Pause} busy={busy} onClick={() => void move("pause", "The sweep is paused")}>
            Pause
          </Button>
        ) : (
          <Button icon={Play} look="primary" busy={busy} onClick={() => void move("resume", "The sweep goes on")}>
            Resume
          </Button>
        )}
        {stuck && (
          <Button icon={Play} busy={busy} onClick={() => void move("resume", "Its segments were queued again")}>
            Resume
          </Button>
        )}
        <Button icon={Gauge} onClick={() => setRating(true)}>
          Rate…
        </Button>
        <Button icon={Ban} onClick={() => setCancelling(true)}>
          Cancel…
        </Button>
      </div>
      {error && <Problem title="It was not done" error={error} />}
      {rating && <RateDialog sweep={sweep} close={() => setRating(false)} changed={moved} />}
      {cancelling && (
        <Confirm
          open
          close={() => setCancelling(false)}
          title="Cancel this sweep?"
          does="Cancel the sweep"
          danger
          word="cancel"
          act={async () => {
            await api.move(sweep.id, "cancel");
            moved("The sweep is cancelled");
          }}
        >
          <p>
            It ends for good after {items(sweep.scanned)}. What it wrote stays. A new sweep begins from the start;
            pausing keeps the place.
          </p>
        </Confirm>
      )}
    </div>
  );
}
