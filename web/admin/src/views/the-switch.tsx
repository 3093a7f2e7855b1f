/** The switch: encryption on or off, confirmed, and only from the version that was seen. */

import { GitCompareArrows, LockKeyhole, LockKeyholeOpen } from "lucide-react";
import { useState } from "react";

import { Refused } from "../api/errors";
import type { Setting } from "../api/types";
import { useResource } from "../resource";
import { useService } from "../service";
import { Confirm } from "../ui/confirm";
import { Badge, Button, Reading, Skeleton, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";

export function SwitchCard() {
  const { status } = useService();
  // The dialog keeps the setting that it was opened with: that is what whoever confirms has seen.
  const [asked, ask] = useState<Setting | null>(null);
  const setting = status.data?.setting;
  const on = setting?.enabled;
  return (
    <section className={`card switch ${on === undefined ? "" : on ? "on" : "off"}`} aria-labelledby="switch-title">
      <div className="switch-icon" aria-hidden>
        {on === false ? <LockKeyholeOpen size={26} /> : <LockKeyhole size={26} />}
      </div>
      <div className="switch-words">
        {setting ? (
          <>
            <h2 id="switch-title">Encryption is {on ? "on" : "off"}</h2>
            <p className="soft">
              {on ? "New writes are encrypted as they arrive." : "New writes stay in plaintext."}{" "}
              {setting.changedAt ? (
                <>
                  Version {setting.version}, since <Time at={setting.changedAt} />
                  {setting.changedBy && <> by {setting.changedBy}</>}.
                </>
              ) : (
                "As it was deployed."
              )}
            </p>
          </>
        ) : (
          <>
            <h2 id="switch-title">Encryption</h2>
            <Skeleton />
          </>
        )}
      </div>
      <Button
        look={on === false ? "primary" : "plain"}
        disabled={!setting}
        onClick={() => setting && ask(setting)}
        className="switch-button"
      >
        {on === false ? "Switch on…" : "Switch off…"}
      </Button>
      {asked && <SwitchDialog key={asked.version} seen={asked} see={ask} close={() => ask(null)} />}
    </section>
  );
}

interface SwitchDialogProps {
  seen: Setting;
  see: (setting: Setting) => void;
  close: () => void;
}

function SwitchDialog({ seen, see, close }: SwitchDialogProps) {
  const { api, status, tell } = useService();
  const on = !seen.enabled;
  const act = async () => {
    const setting = await api.switchTo(on, seen);
    status.refresh();
    tell(
      `Encryption is ${setting.enabled ? "on" : "off"}`,
      setting.enabled
        ? "A sweep encrypts what was left in plaintext; it begins within a minute."
        : `Version ${setting.version}.`,
    );
  };
  return (
    <Confirm
      open
      close={close}
      title={on ? "Switch encryption on?" : "Switch encryption off?"}
      does={on ? "Switch on" : "Switch off"}
      danger={!on}
      {...(on ? {} : { word: "switch-off" })}
      act={act}
      explain={(error) =>
        error instanceof Refused && error.version !== null ? <Conflict seen={seen} see={see} /> : null
      }
    >
      {on ? (
        <>
          <p>New writes are encrypted from then on, and a sweep encrypts what is in plaintext now.</p>
          <p className="soft">
            Whoever reads the table without decrypting sees ciphertext. Let readers move to the drop-in first.
          </p>
        </>
      ) : (
        <>
          <p>
            New writes stay in plaintext from then on. What is encrypted stays so, and can be read, until a sweep
            decrypts it.
          </p>
          <p className="soft">
            A running sweep to encrypt or re-encrypt stops. Browsers that encrypt by themselves send plaintext.
          </p>
        </>
      )}
    </Confirm>
  );
}

/** Somebody else was first: shows what is now, and lets whoever asks decide anew. */
function Conflict({ seen, see }: { seen: Setting; see: (setting: Setting) => void }) {
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
        <Badge tone={current.enabled ? "good" : "warn"}>{current.enabled ? "on" : "off"}</Badge> at version{" "}
        {current.version}
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
