/** The switch: encryption on, on for a part, or off; confirmed, and only from the version that was seen. */

import { LockKeyhole, LockKeyholeOpen } from "lucide-react";
import { useState } from "react";

import { Refused } from "../api/errors";
import type { Setting } from "../api/types";
import { useService } from "../service";
import { stateWords } from "../sweeps/part";
import { Confirm } from "../ui/confirm";
import { Button, Skeleton, Time } from "../ui/parts";
import { PartDialog } from "./part-dialog";
import { Conflict } from "./setting-conflict";

/** What is asked for: encryption on for all, for a part, or off. */
type Wish = "on" | "part" | "off";

export function SwitchCard() {
  const { status } = useService();
  // The dialog keeps the setting that it was opened with: that is what whoever confirms has seen.
  const [asked, ask] = useState<{ seen: Setting; wish: Wish } | null>(null);
  const setting = status.data?.setting;
  const on = setting?.enabled;
  const part = setting?.part ?? null;
  const open = (wish: Wish) => () => setting && ask({ seen: setting, wish });
  const dialog = asked && {
    seen: asked.seen,
    // Where somebody switched it meanwhile, what is left to ask for is the other way.
    see: (seen: Setting) => ask({ seen, wish: asked.wish === "part" ? "part" : seen.enabled ? "off" : "on" }),
    close: () => ask(null),
  };
  return (
    <section
      className={`card switch ${on === undefined ? "" : part ? "part" : on ? "on" : "off"}`}
      aria-labelledby="switch-title"
    >
      <div className="switch-icon" aria-hidden>
        {on === false ? <LockKeyholeOpen size={26} /> : <LockKeyhole size={26} />}
      </div>
      <div className="switch-words">
        {setting ? (
          <>
            <h2 id="switch-title">Encryption is {stateWords(setting)}</h2>
            <p className="soft">
              {part
                ? "New writes to this part are encrypted as they arrive; all others stay in plaintext."
                : on
                  ? "New writes are encrypted as they arrive."
                  : "New writes stay in plaintext."}{" "}
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
      <div className="switch-buttons">
        <Button disabled={!setting} onClick={open("part")} className="switch-button">
          {part ? "Change the part…" : "For a part…"}
        </Button>
        {on !== false && (
          <Button disabled={!setting} onClick={open("off")} className="switch-button">
            Switch off…
          </Button>
        )}
        {(on === false || part) && (
          <Button look="primary" onClick={open("on")} className="switch-button">
            {part ? "Switch on for all…" : "Switch on…"}
          </Button>
        )}
      </div>
      {asked && dialog && asked.wish === "part" && <PartDialog key={asked.seen.version} {...dialog} />}
      {asked && dialog && asked.wish !== "part" && (
        <SwitchDialog key={asked.seen.version} {...dialog} on={asked.wish === "on"} />
      )}
    </section>
  );
}

interface SwitchDialogProps {
  /** Whether it is to be on for all; else off. */
  on: boolean;
  seen: Setting;
  see: (setting: Setting) => void;
  close: () => void;
}

function SwitchDialog({ on, seen, see, close }: SwitchDialogProps) {
  const { api, status, tell } = useService();
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
      title={on ? `Switch encryption on${seen.part ? " for all" : ""}?` : "Switch encryption off?"}
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
