/** The table by state of its items, a column for each finished sweep, oldest first. */

import { scaleBand, scaleLinear } from "@visx/scale";
import { BarRounded } from "@visx/shape";
import { useState } from "react";
import { Link } from "wouter";

import { count, percent, short, when } from "../format";
import { type Look, STANDING_WORDS, STANDINGS, type Standing } from "../sweeps/census";
import { GOALS } from "../sweeps/words";
import { Time } from "../ui/parts";
import { Table } from "../ui/table";
import { Across, Frame, Under, useWidth } from "./frame";

const HEIGHT = 248;
const EDGE = { top: 8, right: 4, bottom: 40, left: 48 };

export function LooksChart({ looks }: { looks: Look[] }) {
  const used = STANDINGS.filter((standing) => looks.some((look) => look.standings[standing]));
  return (
    <Frame
      legend={used.map((standing) => ({ name: STANDING_WORDS[standing], colour: `s-${standing}` }))}
      chart={<Columns looks={looks} />}
      table={
        <Table
          caption="Items by state, for each finished sweep, newest first"
          rows={[...looks].reverse()}
          keyOf={(look) => look.sweep.id}
          columns={[
            {
              name: "Finished",
              heads: true,
              cell: (look) => (
                <Link href={`/migration/${look.sweep.id}`}>
                  <Time at={look.at} form="short" />
                </Link>
              ),
            },
            { name: "Sweep", cell: (look) => GOALS[look.sweep.goal].name },
            ...used.map((standing) => ({
              name: STANDING_WORDS[standing],
              align: "end" as const,
              cell: (look: Look) => count(look.standings[standing]),
            })),
          ]}
        />
      }
    />
  );
}

function total(look: Look): number {
  return STANDINGS.reduce((sum, standing) => sum + look.standings[standing], 0);
}

function Columns({ looks }: { looks: Look[] }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [pointed, point] = useState<number | null>(null);
  const bottom = HEIGHT - EDGE.bottom;
  const most = Math.max(1, ...looks.map(total));
  const x = scaleBand({
    domain: looks.map((_, index) => index),
    range: [EDGE.left, width - EDGE.right],
    padding: 0.28,
  });
  const y = scaleLinear({ domain: [0, most], range: [bottom, EDGE.top], nice: 4 });
  const bandwidth = Math.min(56, x.bandwidth());
  const middle = (index: number) => (x(index) ?? 0) + x.bandwidth() / 2;
  // As many labels as there is room for, from the newest back.
  const every = Math.max(1, Math.ceil((looks.length * 64) / Math.max(1, width - EDGE.left)));
  const shown = looks.flatMap((look, index) =>
    (looks.length - 1 - index) % every ? [] : [{ at: middle(index), look }],
  );
  const look = pointed === null ? null : looks[pointed];
  const last = looks.at(-1);

  return (
    <div ref={box} className="chart" onPointerLeave={() => point(null)}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Items by state after each of ${looks.length} finished sweeps.${last ? ` The newest: ${spoken(last)}.` : ""} The table has all figures.`}
      >
        {width > 0 && (
          <>
            <Across
              ticks={y.ticks(4).map((value) => ({ at: y(value), label: short(value) }))}
              left={EDGE.left}
              right={width - EDGE.right}
            />
            {looks.map((each, index) => {
              let base = 0;
              const piled = STANDINGS.filter((standing) => each.standings[standing] > 0);
              return (
                <g key={each.sweep.id} className={pointed === null || pointed === index ? "column" : "column dimmed"}>
                  {piled.map((standing, place) => {
                    const from = base;
                    base += each.standings[standing];
                    // What is there at all is seen, however few they are.
                    const height = Math.max(2, y(from) - y(base) - (place < piled.length - 1 ? 1 : 0));
                    return (
                      <BarRounded
                        key={standing}
                        className={`s-${standing}`}
                        x={middle(index) - bandwidth / 2}
                        y={Math.min(y(base), bottom - height)}
                        width={bandwidth}
                        height={height}
                        radius={3}
                        top={place === piled.length - 1}
                      />
                    );
                  })}
                  <rect
                    className="hit"
                    x={x(index)}
                    y={EDGE.top}
                    width={x.bandwidth()}
                    height={bottom - EDGE.top}
                    onPointerEnter={() => point(index)}
                    onPointerDown={() => point(index)}
                  />
                </g>
              );
            })}
            <Under ticks={shown.map(({ at, look: each }) => ({ at, label: when.day(each.at) }))} y={bottom + 17} />
            <Under
              ticks={shown.map(({ at, look: each }) => ({ at, label: GOALS[each.sweep.goal].name }))}
              y={bottom + 33}
            />
          </>
        )}
      </svg>
      {look && pointed !== null && (
        <div
          className={`tip ${middle(pointed) > width / 2 ? "left" : "right"}`}
          aria-hidden
          ref={(tip) => place(tip, middle(pointed))}
        >
          <p className="tip-title">
            {GOALS[look.sweep.goal].name} · {when.short(look.at)}
          </p>
          {STANDINGS.filter((standing) => look.standings[standing]).map((standing) => (
            <p key={standing}>
              <span className={`swatch s-${standing}`} />
              {STANDING_WORDS[standing]}
              <b>{count(look.standings[standing])}</b>
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

/** Places an element; the policy of the page forbids style attributes in markup, and not this. */
export function place(tip: HTMLElement | null, x: number): void {
  tip?.style.setProperty("--x", `${x}px`);
}

function spoken(look: Look): string {
  const all = total(look);
  const parts = (STANDINGS as readonly Standing[])
    .filter((standing) => look.standings[standing])
    .map((standing) => `${STANDING_WORDS[standing].toLowerCase()} ${percent(look.standings[standing], all)}`);
  return `${GOALS[look.sweep.goal].name}, ${parts.join(", ")}`;
}
