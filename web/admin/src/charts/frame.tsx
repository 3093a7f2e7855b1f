/** What every chart has: its legend, its figures as a table for whoever cannot or will not read a picture. */

import { ChartColumn, Table2 } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";

import { Button } from "../ui/parts";

export interface Series {
  name: string;
  /** The class that gives it its colour. */
  colour: string;
}

interface FrameProps {
  legend: Series[];
  /** What is read where the pointer is; the legend's place is kept for it. */
  reading?: ReactNode;
  chart: ReactNode;
  table: ReactNode;
  controls?: ReactNode;
}

export function Frame({ legend, chart, table, controls }: FrameProps) {
  const [asTable, setAsTable] = useState(false);
  return (
    <div className="chart-frame">
      <div className="chart-bar">
        <ul className="legend" hidden={asTable}>
          {legend.map(({ name, colour }) => (
            <li key={name}>
              <span className={`swatch ${colour}`} aria-hidden />
              {name}
            </li>
          ))}
        </ul>
        <div className="chart-controls">
          {controls}
          <Button look="quiet" icon={asTable ? ChartColumn : Table2} onClick={() => setAsTable(!asTable)}>
            {asTable ? "Chart" : "Table"}
          </Button>
        </div>
      </div>
      {asTable ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        <section className="chart-table" tabIndex={0} aria-label="Figures of the chart">
          {table}
        </section>
      ) : (
        chart
      )}
    </div>
  );
}

/** Returns the width that an element has, in pixels; 0 until it is known. */
export function useWidth<T extends Element>(): [RefObject<T | null>, number] {
  const box = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}

export interface Tick {
  at: number;
  label: string;
}

/** Lines across the plot, and what they stand for. */
export function Across({ ticks, left, right }: { ticks: Tick[]; left: number; right: number }) {
  return (
    <g className="axis">
      {ticks.map(({ at, label }) => (
        <g key={label}>
          <line x1={left} x2={right} y1={at} y2={at} />
          <text x={left - 8} y={at} dy="0.32em" textAnchor="end">
            {label}
          </text>
        </g>
      ))}
    </g>
  );
}

/** What stands under the plot. */
export function Under({ ticks, y }: { ticks: Tick[]; y: number }) {
  return (
    <g className="axis">
      {ticks.map(({ at, label }) => (
        <text key={`${at}${label}`} x={at} y={y} textAnchor="middle">
          {label}
        </text>
      ))}
    </g>
  );
}
