/** Figures beside those of the period before and of the same days a year before. */

import { h, table, type Child } from "../dom";
import { count, growth } from "../format";
import { figureOf, type Question, type Row, type Sheet } from "../statistics";
import { t } from "../texts";

/** Documents sent and received, compared. */
export const SENT_AND_RECEIVED: Question = { measure: ["documents"], by: ["direction"], compare: ["before", "year-before"] };

/** What stands beside a figure: what it was, and by how much it grew. */
export function beside(row: Row | undefined, measure: string, period: "before" | "year-before"): Child {
  const was = figureOf(row, `${measure}.${period}`);
  const grew = figureOf(row, `${measure}.${period}.growth_per_mille`);
  const mark = grew === null ? "" : grew < 0 ? "down" : "up";
  return h("span", { class: "short", title: grew === null ? t("noBasis") : undefined }, count(was), " ", h("small", { class: `growth ${mark}` }, grew === null ? "(–)" : `(${growth(grew)})`));
}

/** A table of periods: each an answer to [`SENT_AND_RECEIVED`]. */
export function comparison(periods: { name: string; sheet: Sheet }[]): HTMLElement {
  const cells = (sheet: Sheet, direction: string) => {
    const row = sheet.rows.find((one) => one.direction === direction);
    return [
      h("strong", {}, count(figureOf(row, "documents") ?? 0)),
      beside(row, "documents", "before"),
      beside(row, "documents", "year-before"),
    ];
  };
  const rows = periods.map(({ name, sheet }) => [name, ...cells(sheet, "sent"), ...cells(sheet, "received")]);
  const heads = [t("period"), t("sent"), t("periodBefore"), t("yearBefore"), t("received"), t("periodBefore"), t("yearBefore")];
  return h("div", { id: "compared" }, table(t("comparison"), heads, rows, [1, 2, 3, 4, 5, 6]), h("p", { class: "hint" }, t("comparisonHint")));
}
