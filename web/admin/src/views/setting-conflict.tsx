/** Somebody else changed the setting first: shows what is now, and lets whoever asks decide anew. */

import { GitCompareArrows } from "lucide-react";

import type { Setting } from "../api/types";
import { useResource } from "../resource";
import { useService } from "../service";
import { stateTone, stateWords } from "../sweeps/part";
import { Badge, Button, Reading, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";

export function Conflict({ seen, see }: { seen: Setting; see: (setting: Setting) => void }) {
  const { api, status } = useService();
  const config = useResource("config", (signal) => api.config(signal));
  const current = config.data?.setting;
  // What was read before it came to the conflict is not what is now.
  if (!current || current.version === seen.version) {
    return config.error ? (
      <Problem
        title="The setting was changed, and could not be read"
        error={config.error}
        retry={config.refresh}
        busy={config.busy}
      />
    ) : (
      <Reading what="the setting" />
    );
  }
  return (
    <Note tone="warn" title="Somebody changed the setting meanwhile" icon={<GitCompareArrows aria-hidden size={18} />}>
      <p role="alert">
        You saw version {seen.version}, and changed nothing. Now it is{" "}
        <Badge tone={stateTone(current)}>{stateWords(current)}</Badge> at version {current.version}
        {current.changedBy && <>, by {current.changedBy}</>}
        {current.changedAt && (
          <>
            , <Time at={current.changedAt} form="ago" />
          </>
        )}
        .
      </p>
      <Button
        onClick={() => {
          status.refresh();
          see(current);
        }}
      >
        Decide anew
      </Button>
    </Note>
  );
}
