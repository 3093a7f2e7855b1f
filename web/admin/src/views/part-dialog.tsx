/** Encryption on for a part: so many per cent of the keys, or listed ones. */

import { Field } from "@base-ui/react/field";
import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import { useId, useState } from "react";

import { Refused } from "../api/errors";
import type { Setting } from "../api/types";
import { useService } from "../service";
import { narrows, readKeys, readPercent, stateWords } from "../sweeps/part";
import { Confirm } from "../ui/confirm";
import { TextInput } from "../ui/fields";
import { Conflict } from "./setting-conflict";

const KINDS = [
  ["percent", "Some per cent of the keys", "Which ones, the hash of a key tells. More per cent keep all that were in."],
  ["keys", "Listed keys", "Up to 100. What is stored under them is encrypted at once."],
] as const;
type Kind = (typeof KINDS)[number][0];

interface PartDialogProps {
  seen: Setting;
  see: (setting: Setting) => void;
  close: () => void;
}

export function PartDialog({ seen, see, close }: PartDialogProps) {
  const { api, status, tell } = useService();
  const [kind, choose] = useState<Kind>("percent");
  const [percent, setPercent] = useState("1");
  const [keys, setKeys] = useState("");
  const part = kind === "percent" ? readPercent(percent) : readKeys(keys);
  const confirms = part ? narrows(seen, part) : seen.enabled;
  const act = async () => {
    if (!part) return;
    const setting = await api.switchPart(part, seen, confirms);
    status.refresh();
    tell(
      `Encryption is ${stateWords(setting)}`,
      part.keys
        ? "Their items are encrypted within a minute or two."
        : "No sweep follows. Start one to encrypt it now.",
    );
  };
  return (
    <Confirm
      open
      close={close}
      title="Switch encryption on for a part?"
      does="Switch on for the part"
      danger={confirms}
      ready={part !== null}
      {...(confirms ? { word: "switch-off" } : {})}
      act={act}
      explain={(error) =>
        error instanceof Refused && error.version !== null ? <Conflict seen={seen} see={see} /> : null
      }
    >
      <p>
        New writes to the part are encrypted. All other items are left in plaintext, or brought back to it as they are
        read{confirms && ": encryption is off for them from then on"}.
      </p>
      <KindChoice kind={kind} choose={choose} />
      {kind === "percent" ? (
        <TextInput
          label="Per cent of the keys"
          value={percent}
          change={setPercent}
          help="From 0.01 to 99.99, with two decimals at most."
        />
      ) : (
        <Field.Root className="field">
          <Field.Label>Keys, one a line in DynamoDB JSON</Field.Label>
          <Field.Control
            render={<textarea rows={4} spellCheck={false} />}
            className="input keys"
            value={keys}
            onValueChange={setKeys}
            placeholder={'{"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}'}
          />
          <Field.Description className="soft small">
            They are kept in the setting, and shown to administrators.
          </Field.Description>
        </Field.Root>
      )}
    </Confirm>
  );
}

function KindChoice({ kind, choose }: { kind: Kind; choose: (kind: Kind) => void }) {
  const id = useId();
  return (
    <RadioGroup aria-label="Which part" value={kind} onValueChange={choose} className="choices">
      {KINDS.map(([value, name, does]) => (
        <Radio.Root
          key={value}
          value={value}
          className="choice"
          aria-labelledby={`${id}${value}n`}
          aria-describedby={`${id}${value}d`}
        >
          <span className="radio" aria-hidden>
            <Radio.Indicator className="radio-dot" />
          </span>
          <span>
            <span className="choice-name" id={`${id}${value}n`}>
              {name}
            </span>
            <span className="soft small" id={`${id}${value}d`}>
              {does}
            </span>
          </span>
        </Radio.Root>
      ))}
    </RadioGroup>
  );
}
