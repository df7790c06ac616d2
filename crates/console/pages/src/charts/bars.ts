/** Bars over time: one a step, with a scale, and the same figures in a table for those who cannot see it. */

import { h, svg } from "../dom";
import { whole } from "../format";

export interface Bar {
  label: string;
  /** Under the axis; not every bar has one. */
  tick?: string | undefined;
  value: number;
}

const WIDTH = 560;
const HEIGHT = 190;
const LEFT = 46;
const BOTTOM = 24;
const TOP = 10;

/** Draws bars. */
export function bars(caption: string, all: Bar[]): HTMLElement {
  const most = Math.max(1, ...all.map((bar) => bar.value));
  const { step, end } = scale(most);
  const room = (WIDTH - LEFT) / Math.max(1, all.length);
  const height = HEIGHT - BOTTOM - TOP;
  const y = (value: number) => TOP + height - (value / end) * height;
  const lines = [];
  for (let value = 0; value <= end; value += step) {
    lines.push(svg("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }));
    lines.push(svg("text", { class: "tick end", x: LEFT - 8, y: y(value) + 4 }, whole(value)));
  }
  const shapes = all.flatMap((bar, i) => {
    const x = LEFT + i * room;
    const width = Math.max(1, room * 0.72);
    const shape = svg(
      "rect",
      { class: "bar", x: x + (room - width) / 2, y: y(bar.value), width, height: Math.max(0, TOP + height - y(bar.value)) },
      svg("title", {}, `${bar.label}: ${whole(bar.value)}`),
    );
    const tick = bar.tick && svg("text", { class: "tick middle", x: x + room / 2, y: HEIGHT - 6 }, bar.tick);
    return tick ? [shape, tick] : [shape];
  });
  const picture = svg("svg", { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": caption }, ...lines, ...shapes);
  const rows = all.map((bar) => h("tr", {}, h("th", { scope: "row" }, bar.label), h("td", {}, whole(bar.value))));
  return h("figure", { class: "chart" }, picture, h("table", { class: "unseen" }, h("caption", {}, caption), h("tbody", {}, ...rows)));
}

/** Round steps: 1, 2 or 5 times a power of ten, at most five of them. */
function scale(most: number): { step: number; end: number } {
  const power = 10 ** Math.floor(Math.log10(most / 4 || 1));
  const step = Math.max(1, [1, 2, 5, 10].map((times) => times * power).find((size) => most / size <= 5) ?? power);
  return { step, end: Math.ceil(most / step) * step };
}
