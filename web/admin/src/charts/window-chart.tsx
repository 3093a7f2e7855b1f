/** For how long new writes are in the table in plaintext: the median and the slowest hundredth, over time. */

import { scaleLinear, scaleTime } from "@visx/scale";
import { AreaClosed, LinePath } from "@visx/shape";
import { type PointerEvent, useState } from "react";

import type { PlaintextWindow } from "../api/types";
import { count, milliseconds, when } from "../format";
import { Time } from "../ui/parts";
import { Table } from "../ui/table";
import { Across, Frame, Under, useWidth } from "./frame";
import { place } from "./looks-chart";

const HEIGHT = 220;
const EDGE = { top: 10, right: 12, bottom: 26, left: 56 };

interface Point {
  at: Date;
  p50: number;
  p99: number;
  count: number;
}

interface WindowChartProps {
  window: PlaintextWindow;
  hours: number;
  /** When the window ends. */
  until: Date;
  controls: React.ReactNode;
}

export function WindowChart({ window, hours, until, controls }: WindowChartProps) {
  const points = window.points.map(({ time, ...rest }) => ({ at: new Date(time), ...rest }));
  return (
    <Frame
      legend={[
        { name: "Median", colour: "w-p50" },
        { name: "99th percentile", colour: "w-p99" },
      ]}
      controls={controls}
      chart={<Lines points={points} period={window.periodSeconds} hours={hours} until={until} />}
      table={
        <Table
          caption="Time from a write to its encryption, newest first"
          rows={[...points].reverse()}
          keyOf={(point) => point.at.toISOString()}
          columns={[
            { name: "From", heads: true, cell: (point) => <Time at={point.at} form="short" /> },
            { name: "Median", align: "end", cell: (point) => milliseconds(point.p50) },
            { name: "99th percentile", align: "end", cell: (point) => milliseconds(point.p99) },
            { name: "Writes", align: "end", cell: (point) => count(point.count) },
          ]}
        />
      }
    />
  );
}

/** Splits points where nobody wrote for a while: a line across would claim what was not measured. */
function runs(points: Point[], period: number): Point[][] {
  const found: Point[][] = [];
  for (const point of points) {
    const run = found.at(-1);
    const last = run?.at(-1);
    if (run && last && point.at.getTime() - last.at.getTime() <= 1.5 * period * 1000) run.push(point);
    else found.push([point]);
  }
  return found;
}

interface LinesProps {
  points: Point[];
  period: number;
  hours: number;
  until: Date;
}

function Lines({ points, period, hours, until }: LinesProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [pointed, setPointed] = useState<Point | null>(null);
  const bottom = HEIGHT - EDGE.bottom;
  const from = new Date(until.getTime() - hours * 3_600_000);
  const x = scaleTime({ domain: [from, until], range: [EDGE.left, Math.max(EDGE.left, width - EDGE.right)] });
  const y = scaleLinear({
    domain: [0, Math.max(100, ...points.map((point) => point.p99))],
    range: [bottom, EDGE.top],
    nice: 4,
  });
  const ticks = x.ticks(Math.max(2, Math.floor(width / 110))).map((moment) => ({
    at: x(moment),
    label: hours > 48 ? when.day(moment) : when.clock(moment),
  }));
  const across = (point: Point) => x(point.at);

  const follow = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const nearest = points.reduce<Point | null>(
      (best, each) => (!best || Math.abs(across(each) - at) < Math.abs(across(best) - at) ? each : best),
      null,
    );
    setPointed(nearest && Math.abs(across(nearest) - at) < 40 ? nearest : null);
  };

  const last = points.at(-1);
  return (
    <div ref={box} className="chart">
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Time from a write to its encryption over ${hours} hours.${last ? ` Last: median ${milliseconds(last.p50)}, 99th percentile ${milliseconds(last.p99)}.` : ""} The table has all figures.`}
        onPointerMove={follow}
        onPointerDown={follow}
        onPointerLeave={() => setPointed(null)}
      >
        {width > 0 && (
          <>
            <Across
              ticks={y.ticks(4).map((value) => ({ at: y(value), label: milliseconds(value) }))}
              left={EDGE.left}
              right={width - EDGE.right}
            />
            <Under ticks={ticks.filter(({ at }) => at < width - 24)} y={bottom + 18} />
            {runs(points, period).map((run) => (
              <g key={run[0]?.at.toISOString()}>
                <AreaClosed data={run} x={across} y={(point) => y(point.p50)} yScale={y} className="w-p50 area" />
                <LinePath data={run} x={across} y={(point) => y(point.p99)} className="w-p99 line" />
                <LinePath data={run} x={across} y={(point) => y(point.p50)} className="w-p50 line" />
                {run.length === 1 && run[0] && (
                  <circle className="w-p99 point" cx={across(run[0])} cy={y(run[0].p99)} r={2} />
                )}
              </g>
            ))}
            {pointed && (
              <g>
                <line className="cursor" x1={across(pointed)} x2={across(pointed)} y1={EDGE.top} y2={bottom} />
                <circle className="w-p99 point" cx={across(pointed)} cy={y(pointed.p99)} r={4} />
                <circle className="w-p50 point" cx={across(pointed)} cy={y(pointed.p50)} r={4} />
              </g>
            )}
          </>
        )}
      </svg>
      {pointed && (
        <div
          className={`tip ${across(pointed) > width / 2 ? "left" : "right"}`}
          aria-hidden
          ref={(tip) => place(tip, across(pointed))}
        >
          <p className="tip-title">{when.short(pointed.at)}</p>
          <p>
            <span className="swatch w-p99" />
            99th percentile <b>{milliseconds(pointed.p99)}</b>
          </p>
          <p>
            <span className="swatch w-p50" />
            Median <b>{milliseconds(pointed.p50)}</b>
          </p>
          <p className="soft">
            Writes <b>{count(pointed.count)}</b>
          </p>
        </div>
      )}
    </div>
  );
}
