/** A table that becomes a list of cards where there is no room for columns. */

// biome-ignore-all lint/a11y/noRedundantRoles: a browser drops the roles of a table whose parts are laid out as blocks

import type { ReactNode } from "react";

export interface Column<Row> {
  name: string;
  /** What a cell holds. */
  cell: (row: Row) => ReactNode;
  align?: "end";
  /** The cell that names the row. */
  heads?: boolean;
  /** Takes what width is left. */
  wide?: boolean;
  /** Cut off where it is long; the rest is in a title. */
  clipped?: boolean;
  /** Its name is for screen readers only. */
  quiet?: boolean;
}

interface TableProps<Row> {
  /** What it is a table of, for screen readers. */
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table className="table" role="table">
      <caption className="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.name} role="columnheader" scope="col" className={classes(column)}>
              <span className={column.quiet ? "visually-hidden" : undefined}>{column.name}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column) =>
              column.heads ? (
                <th key={column.name} role="rowheader" scope="row" className={classes(column)}>
                  {column.cell(row)}
                </th>
              ) : (
                <td
                  key={column.name}
                  role="cell"
                  className={classes(column)}
                  data-label={column.quiet ? undefined : column.name}
                >
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function classes<Row>({ align, wide, quiet, clipped }: Column<Row>): string | undefined {
  return [align, wide && "wide", quiet && "quiet", clipped && "clipped"].filter(Boolean).join(" ") || undefined;
}
