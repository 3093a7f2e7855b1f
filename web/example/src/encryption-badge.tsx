/** Whether what is written now is stored encrypted. */
import { useSessionEncryption } from "@dynamodb-stream-encryptor/react";
import { Icon } from "./icons";

export function EncryptionBadge() {
  const { config, ready, error } = useSessionEncryption();
  const [word, icon, tone] = !ready
    ? ([error ? "Encryption unknown" : "…", "warning", "soft"] as const)
    : config?.enabled
      ? (["Encryption on", "locked", "good"] as const)
      : (["Encryption off", "open", "warn"] as const);
  return (
    <p className={`badge ${tone}`} role="status" aria-label="Encryption">
      {word !== "…" && <Icon name={icon} />}
      {word}
    </p>
  );
}

export function StoredBadge({ encrypted }: { encrypted: boolean }) {
  return (
    <span className={encrypted ? "badge small good" : "badge small warn"}>
      <Icon name={encrypted ? "locked" : "open"} />
      {encrypted ? "Encrypted" : "Plaintext"}
    </span>
  );
}
