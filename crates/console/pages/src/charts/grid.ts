/** Who exchanges with whom: a table whose cells are shaded by how much. */

import { h } from "../dom";
import { whole } from "../format";
import { shades } from "./shade";

export interface Cell {
  from: string;
  to: string;
  value: number;
}

/** Draws the table; what is in neither direction is left out. */
export function grid(caption: string, corner: string, names: string[], cells: Cell[]): HTMLElement {
  const found = new Map(cells.map((cell) => [`${cell.from}\n${cell.to}`, cell.value]));
  const value = (from: string, to: string) => found.get(`${from}\n${to}`) ?? 0;
  const shade = shades(cells.map((cell) => cell.value));
  const heads = names.map((name) => h("th", { scope: "col" }, h("span", {}, name)));
  const rows = names.map((from) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, from),
      ...names.map((to) => h("td", { class: shade(value(from, to)), title: `${from} → ${to}` }, value(from, to) ? whole(value(from, to)) : "·")),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: "grid" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, h("td", { class: "corner" }, corner), ...heads)), h("tbody", {}, ...rows)),
  );
}
