/** A view's head: what it is, how fresh it is. */

import { RefreshCw } from "lucide-react";
import type { ReactNode } from "react";

import type { Resource } from "../resource";
import { Time } from "./parts";
import { Problem } from "./problem";

interface PageProps {
  title: ReactNode;
  lead?: ReactNode;
  above?: ReactNode;
  actions?: ReactNode;
  /** What the view shows, to read again by hand. */
  reads?: Resource<unknown>[];
  children: ReactNode;
}

export function Page({ title, lead, above, actions, reads = [], children }: PageProps) {
  const ats = reads.map((read) => read.at).filter((at) => at !== null);
  return (
    <>
      <header className="page-head">
        <div>
          {above}
          <h1>{title}</h1>
          {lead && <p className="soft">{lead}</p>}
        </div>
        <div className="page-actions">
          {reads.length > 0 && <Fresh at={ats.length ? new Date(Math.min(...ats)) : null} reads={reads} />}
          {actions}
        </div>
      </header>
      {children}
    </>
  );
}

/** Stands in the place of a view that has nothing to show, since the status could not be read. */
export function Unread({ title, status }: { title: string; status: Resource<unknown> }) {
  return (
    <Page title={title} reads={[status]}>
      {status.error && (
        <Problem title="The status could not be read" error={status.error} retry={status.refresh} busy={status.busy} />
      )}
    </Page>
  );
}

function Fresh({ at, reads }: { at: Date | null; reads: Resource<unknown>[] }) {
  const busy = reads.some((read) => read.busy);
  const failed = reads.some((read) => read.error && read.data !== undefined);
  return (
    <div className="fresh">
      <span className={failed ? "small warn-text" : "small soft"}>
        {failed ? "Not up to date: read " : at ? "Read " : ""}
        {at && <Time at={at} form="ago" />}
      </span>
      <button
        type="button"
        className={`icon-button framed${busy ? " turning" : ""}`}
        aria-label="Read again"
        onClick={() => {
          for (const read of reads) read.refresh();
        }}
      >
        <RefreshCw aria-hidden size={16} />
      </button>
    </div>
  );
}
