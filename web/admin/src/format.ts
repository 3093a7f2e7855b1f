/** Numbers, times and names as a person reads them. Pure. */

// The page speaks English; a reader whose English has a region keeps its forms of dates and numbers.
const LOCALE = navigator.languages.find((language) => language.startsWith("en")) ?? "en-GB";

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(number: number): string {
  return whole.format(number);
}

export function short(number: number): string {
  return Math.abs(number) < 10_000 ? tenths.format(number) : compact.format(number);
}

/** "1 item", "2,345 items". */
export function items(number: number, one = "item", many = `${one}s`): string {
  return `${whole.format(number)} ${number === 1 ? one : many}`;
}

/** "1 item/s", "34.5 items/s". */
export function rate(perSecond: number): string {
  const number = short(perSecond);
  return `${number} ${number === "1" ? "item" : "items"}/s`;
}

/** A part of a whole as percent. All and nothing are said of exactly all and nothing. */
export function percent(part: number, all: number): string {
  if (!all) return "–";
  const share = (100 * part) / all;
  if (part === all || part === 0) return `${whole.format(share)}%`;
  if (share > 99.9) return ">99.9%";
  if (share < 0.1) return "<0.1%";
  return `${tenths.format(share)}%`;
}

/** "850 ms", "1.2 s", "3 min". */
export function milliseconds(number: number): string {
  if (number < 1000) return `${whole.format(number)} ms`;
  if (number < 60_000) return `${tenths.format(number / 1000)} s`;
  return `${tenths.format(number / 60_000)} min`;
}

/** "less than a minute", "12 min", "3 h 05 min", "2 d 4 h". */
export function duration(seconds: number): string {
  if (seconds < 60) return seconds < 1 ? "less than a second" : `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const dateTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
const dayAndClock = new Intl.DateTimeFormat(LOCALE, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const day = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric" });

export const when = {
  full: (moment: Date) => dateTime.format(moment),
  date: (moment: Date) => date.format(moment),
  clock: (moment: Date) => clock.format(moment),
  short: (moment: Date) => dayAndClock.format(moment),
  day: (moment: Date) => day.format(moment),
  utc: (moment: Date) => `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`,
};

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "2 minutes ago", "in 3 days". */
export function ago(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1000;
  for (const [unit, length] of [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return Math.abs(seconds) < 10 ? "just now" : relative.format(Math.round(seconds), "second");
}

/** The last part of a KMS key's ARN, shortened: enough to tell keys apart at a glance. */
export function shortKey(arn: string): string {
  const id = arn.split("/").at(-1) ?? arn;
  return arn.startsWith("arn:") && id.length > 9 ? `…${id.slice(-8)}` : id;
}

/** An item's key, as name and value. */
export function keyParts(key: Record<string, Record<string, unknown>>): [string, string][] {
  return Object.entries(key).map(([name, typed]) => {
    const value = Object.values(typed ?? {})[0];
    return [name, typeof value === "string" ? value : JSON.stringify(value)];
  });
}
