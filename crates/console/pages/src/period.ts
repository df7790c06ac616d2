/** The period that pages of figures are about; kept while one goes from page to page. */

import { h } from "./dom";
import { t, type TextKey } from "./texts";

export type PeriodName = "today" | "week" | "month" | "year" | "days365";

const PERIODS: { name: PeriodName; text: TextKey; days: number }[] = [
  { name: "today", text: "today", days: 0 },
  { name: "week", text: "lastWeek", days: 6 },
  { name: "month", text: "lastMonth", days: 29 },
  { name: "year", text: "thisYear", days: -1 },
  { name: "days365", text: "lastYear", days: 364 },
];

let chosen: PeriodName = "today";
let now = "";

/** Says what time it is for the hub. */
export function setNow(moment: string): void {
  now = moment;
}

/** A choice of periods; `changed` is called when another is chosen. */
export function choice(changed: () => void): HTMLElement {
  const options = PERIODS.map(({ name, text }) => h("option", { value: name, selected: name === chosen }, t(text)));
  const select = h("select", { id: "period", change: () => ((chosen = select.value as PeriodName), changed()) }, ...options);
  return h("label", { class: "control" }, h("span", {}, t("period")), select);
}

/** What a period is called, or the chosen one. */
export function periodName(name: PeriodName = chosen): string {
  return t(PERIODS.find((one) => one.name === name)?.text ?? "period");
}

/** The query of a period, or of the chosen one: from the first day on, until now. */
export function query(name: PeriodName = chosen): string {
  const today = now.slice(0, 10);
  const { days } = PERIODS.find((one) => one.name === name) ?? { days: 0 };
  const first = days < 0 ? `${today.slice(0, 4)}-01-01` : new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
  return `from=${first}`;
}
