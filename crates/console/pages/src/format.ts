/** Numbers, moments and spans as people read them. */

import { inUse, t, type TextKey } from "./texts";

const locale = () => (inUse() === "vi" ? "vi-VN" : "en-GB");

/** A whole number, with its thousands apart. */
export function whole(value: number): string {
  return value.toLocaleString(locale());
}

/** A whole number, or a dash where there is none. */
export function count(value: number | null): string {
  return value === null ? "–" : whole(value);
}

/** How many of all are shown. */
export function shownOf(shown: number, total: number): string {
  return `${whole(shown)} ${t("shownOf")} ${whole(total)}`;
}

/** Tenths of a hundredth, as indicators have them, as a percentage. */
export function perMille(value: number): string {
  return `${(value / 10).toLocaleString(locale(), { maximumFractionDigits: 1 })} %`;
}

/** By how much something grew. */
export function growth(value: number): string {
  return `${value > 0 ? "+" : ""}${perMille(value)}`;
}

/** A time within which something happened, in milliseconds, as buckets have it: 30 seconds, 4 hours. */
export function within(millis: number | null): string {
  if (millis === null) return "–";
  const seconds = millis / 1000;
  const units: [number, string][] = [[86_400, "day"], [3_600, "hour"], [60, "minute"]];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, "second"];
  return `≤ ${new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(seconds / size)}`;
}

/** A number with one digit after the point where it is small. */
export function rate(value: number): string {
  return value.toLocaleString(locale(), { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** A share as a percentage, never rounded up; a dash without a base. */
export function share(part: number, of: number): string {
  if (of === 0) return "–";
  return perMille(Math.floor((part * 1000) / of));
}

/** A moment of RFC 3339 in the hub's zone, as it is written there: day and minute. */
export function moment(text: string): string {
  return `${day(text)} ${text.slice(11, 16)}`;
}

/** A moment with its seconds. */
export function exactly(text: string): string {
  return `${day(text)} ${text.slice(11, 19)}`;
}

/** The day of a moment: day, month, year. */
export function day(text: string): string {
  return `${text.slice(8, 10)}/${text.slice(5, 7)}/${text.slice(0, 4)}`;
}

/** How long it is from one moment to another. */
export function span(from: string, until: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 60_000));
  const units: [number, Intl.RelativeTimeFormatUnit][] = [[1440, "day"], [60, "hour"], [1, "minute"]];
  const [size, unit] = units.find(([size]) => minutes >= size * 2) ?? [1, "minute"];
  const format = new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });
  return format.format(minutes / size);
}

/** A province as maps and tables name it; `null` is the centre. */
export function place(named: { name: string } | null): string {
  return named?.name.replace(/^Ủy ban nhân dân (tỉnh|thành phố) /i, "") ?? t("centre");
}

/** The name of a level. */
export function level(name: string): string {
  return t(name as TextKey);
}
