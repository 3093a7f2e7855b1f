/** The part of the items that encryption is on for: read, and in words. Pure. */

import type { GivenPart, ItemKey, Part, Setting } from "../api/types";

/** Into how many buckets the hash of a key falls: one is a hundredth of a per cent. */
const BUCKETS = 10_000;
const MOST_KEYS = 100;

/** A part in words; of an unknown kind, it is a part all the same, and never all. */
export function partWords(part: Part): string {
  if (part.buckets) return `${(part.buckets * 100) / (part.of ?? BUCKETS)}% of the keys`;
  if (part.keys) return `${part.keys} listed key${part.keys === 1 ? "" : "s"}`;
  return "a part";
}

/** Whether encryption is on, and for what. */
export function stateWords(setting: Pick<Setting, "enabled" | "part">): string {
  if (!setting.enabled) return "off";
  return setting.part ? `on for ${partWords(setting.part)}` : "on";
}

/** How good that is to look at: a part is neither on nor off. */
export function stateTone(setting: Pick<Setting, "enabled" | "part">): "good" | "info" | "warn" {
  if (!setting.enabled) return "warn";
  return setting.part ? "info" : "good";
}

/** Returns the buckets of a percentage with two decimals at most, or null where it is none from 0.01 to 99.99. */
export function readPercent(text: string): GivenPart | null {
  const match = /^(\d{1,2})(?:[.,](\d{1,2}))?\s*%?$/.exec(text.trim());
  const buckets = match ? Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0")) : 0;
  return buckets ? { buckets } : null;
}

/** Returns the keys in a text, one in DynamoDB JSON a line, or null where it holds anything else. */
export function readKeys(text: string): GivenPart | null {
  const lines = text.split("\n").filter((line) => line.trim());
  const keys = lines.map(readKey);
  if (!keys.length || keys.length > MOST_KEYS || !keys.every((key) => key !== null)) return null;
  return { keys };
}

function readKey(line: string): ItemKey | null {
  let key: unknown;
  try {
    key = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof key !== "object" || key === null || Array.isArray(key)) return null;
  const values = Object.values(key);
  const typed = (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).length === 1 &&
    Object.entries(value).every(([kind, content]) => ["S", "N", "B"].includes(kind) && typeof content === "string");
  return (values.length === 1 || values.length === 2) && values.every(typed) ? (key as ItemKey) : null;
}

/** Whether a change may leave items without encryption that have it: that has to be confirmed. */
export function narrows(seen: Pick<Setting, "enabled" | "part">, part: GivenPart): boolean {
  if (!seen.enabled) return false;
  return !(seen.part?.buckets && part.buckets && part.buckets >= seen.part.buckets);
}
