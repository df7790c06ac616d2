/** Making elements. Text is always text: nothing here takes HTML. */

export type Child = Node | string | number | null | undefined | false;

type Attributes = Record<string, string | number | boolean | ((event: never) => void) | undefined>;

const SVG = "http://www.w3.org/2000/svg";

/** Makes an HTML element. Attributes that are functions are listeners; `true` stands alone. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
  return element;
}

/**
 * A table: a header row, and rows of cells. Cells that are numbers are set to the right. On a narrow
 * screen one with several columns of text becomes a list of cards; one of figures is moved sideways.
 */
export function table(caption: string, heads: string[], rows: Child[][], numbers: number[] = []): HTMLElement {
  const side = (i: number) => (numbers.includes(i) ? "number" : undefined);
  const head = heads.map((text, i) => h("th", { scope: "col", class: side(i) }, text));
  const body = rows.map((cells) => h("tr", {}, ...cells.map((cell, i) => h("td", { class: side(i), "data-head": heads[i] }, cell))));
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: numbers.length < heads.length - 1 ? "cards" : "sideways" }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)),
  );
}

/** A part of a page with a heading. */
export function section(heading: string, ...children: Child[]): HTMLElement {
  return h("section", { class: "part" }, h("h2", {}, heading), ...children);
}
