/** A key for each tenant: listed, made, rotated, destroyed. Only where the stack has branch keys. */

import { RotateCw, Trash2, UserKey } from "lucide-react";
import { useState } from "react";

import type { BranchKey, Shredded } from "../api/types";
import { count, items } from "../format";
import { useResource } from "../resource";
import { useService } from "../service";
import { Confirm } from "../ui/confirm";
import { TextInput } from "../ui/fields";
import { Badge, Button, Card, Copyable, Empty, Reading, Skeleton, Time } from "../ui/parts";
import { Note, Problem } from "../ui/problem";
import { Table } from "../ui/table";

/** Keys that are shown: a table may have one for each of many users. */
const MOST = 200;

export function Tenants({ writes }: { writes: boolean }) {
  const { api, tell } = useService();
  const keys = useResource("tenants", (signal) => api.branchKeys(MOST, signal));
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<BranchKey | null>(null);
  const [shredding, setShredding] = useState<BranchKey | null>(null);
  const [shredded, setShredded] = useState<Shredded | null>(null);
  const listed = keys.data?.branchKeys ?? [];
  return (
    <Card
      title="A key for each tenant"
      lead={
        keys.data?.more
          ? `The first ${count(listed.length)} are shown; \`stream-encryptor tenants list\` has all of them.`
          : "Branch keys, each encrypted under the KMS key. They are never shown."
      }
      className="full"
      actions={
        writes && (
          <Button icon={UserKey} onClick={() => setMaking(true)}>
            Make a key…
          </Button>
        )
      }
    >
      {shredded && <Gone shredded={shredded} />}
      {keys.error && !keys.data ? (
        <Problem title="The branch keys could not be read" error={keys.error} retry={keys.refresh} busy={keys.busy} />
      ) : !keys.data ? (
        <>
          <Reading what="the branch keys" />
          <Skeleton lines={4} />
        </>
      ) : listed.length ? (
        <Keys keys={listed} writes={writes} rotate={setRotating} shred={setShredding} />
      ) : (
        <Empty icon={UserKey} title="No branch keys yet">
          Each is made when the first item of its tenant is migrated.
        </Empty>
      )}
      {making && <Make close={() => setMaking(false)} read={keys.refresh} />}
      {rotating && (
        <Confirm
          open
          close={() => setRotating(null)}
          title={`Rotate the key of ${named(rotating)}?`}
          does="Rotate"
          act={async () => {
            await api.rotateBranchKey(rotating.tenant || undefined);
            keys.refresh();
            tell("The key has a new version", "Writes use it once functions forget the one that they keep.");
          }}
        >
          <p>What is under earlier versions stays so, and stays readable.</p>
        </Confirm>
      )}
      {shredding?.tenant && (
        <Shred
          tenant={shredding.tenant}
          close={() => setShredding(null)}
          done={(answer) => {
            setShredded(answer);
            keys.refresh();
          }}
        />
      )}
    </Card>
  );
}

function named(key: BranchKey): string {
  return key.tenant === null ? "a tenant that was shredded" : key.tenant || "all items";
}

interface KeysProps {
  keys: BranchKey[];
  /** Whether they may be changed: where they are only read, they may not. */
  writes: boolean;
  rotate: (key: BranchKey) => void;
  shred: (key: BranchKey) => void;
}

function Keys({ keys, writes, rotate, shred }: KeysProps) {
  return (
    <Table
      caption="Branch keys"
      rows={keys}
      keyOf={(key) => key.branchKeyId}
      columns={[
        { name: "Tenant", heads: true, cell: (key) => (key.tenant === null ? "–" : key.tenant || "all items") },
        {
          name: "State",
          cell: (key) => <Badge tone={key.state === "active" ? "good" : "bad"}>{key.state}</Badge>,
        },
        { name: "Since", cell: (key) => <Time at={key.since} form="ago" /> },
        { name: "Key", wide: true, cell: (key) => <Copyable text={key.branchKeyId} label="branch key’s id" /> },
        {
          name: "Change",
          quiet: true,
          align: "end",
          cell: (key) =>
            writes &&
            key.state === "active" && (
              <>
                <Button
                  look="quiet"
                  icon={RotateCw}
                  onClick={() => rotate(key)}
                  aria-label={`Rotate the key of ${named(key)}`}
                >
                  Rotate…
                </Button>
                {key.tenant && (
                  <Button look="quiet" icon={Trash2} onClick={() => shred(key)} aria-label={`Shred ${named(key)}`}>
                    Shred…
                  </Button>
                )}
              </>
            ),
        },
      ]}
    />
  );
}

function Make({ close, read }: { close: () => void; read: () => void }) {
  const { api, tell } = useService();
  const [tenant, setTenant] = useState("");
  return (
    <Confirm
      open
      close={close}
      title="Make a tenant’s key?"
      does="Make it"
      ready={tenant.trim() !== ""}
      act={async () => {
        const made = await api.makeBranchKey(tenant.trim());
        read();
        tell(made ? "The key is made" : "The key was there already");
      }}
    >
      <p>Otherwise it is made when the first item of the tenant is migrated; until then that is under the KMS key.</p>
      <TextInput label="Tenant" value={tenant} change={setTenant} help="As the items’ key has it." />
    </Confirm>
  );
}

function Shred({ tenant, close, done }: { tenant: string; close: () => void; done: (answer: Shredded) => void }) {
  const { api, status, tell } = useService();
  const [looked, setLooked] = useState<number | null>(null);
  return (
    <Confirm
      open
      close={close}
      title={`Destroy all that is encrypted of ${tenant}?`}
      does="Destroy its key"
      danger
      word={tenant}
      act={async () => {
        const answer = await api.shredTenant(tenant, setLooked);
        done(answer);
        status.refresh();
        tell("The tenant is shredded", `${items(answer.items)} cannot be read any more.`);
      }}
    >
      <p>Its branch key is destroyed, every version of it, for good. It is not made again.</p>
      <p className="soft">
        First each item of the tenant is looked at, which reads the whole table. Nothing is destroyed while one of them
        is in plaintext, under the KMS key or in the old form. What the tenant writes afterwards stays in plaintext.
      </p>
      {looked !== null && <p role="status">{items(looked)} of the tenant looked at …</p>}
    </Confirm>
  );
}

function Gone({ shredded }: { shredded: Shredded }) {
  return (
    <Note
      tone="warn"
      title={`${items(shredded.items)} of the tenant cannot be read. Copies can be, for a while`}
      icon={<Trash2 aria-hidden size={18} />}
    >
      <ul className="notes">
        {(shredded.readable ?? []).map((copy) => (
          <li key={copy.what}>
            {copy.what}: {copy.until ? <Time at={copy.until} /> : "until deleted"}
          </li>
        ))}
      </ul>
    </Note>
  );
}
