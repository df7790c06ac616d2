// The map: provinces of @svg-maps/vietnam (CC BY 4.0), by agency code, with fewer points. The
// archipelagos of Hoàng Sa and Trường Sa go with the provinces that they belong to.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import vietnam from "@svg-maps/vietnam";

/** Farthest that a point left out may be from the line, in units of the map (812 wide). */
const TOLERANCE = 0.4;

/** Names in the package that are not the province's name without diacritics. */
const OTHER_NAMES = { baria: "bariavungtau", hcm: "hochiminh", tthue: "thuathienhue" };

/** Archipelagos, and the provinces that they belong to. */
const ARCHIPELAGOS = { hoangsa: "danang", truongsa: "khanhhoa" };

export async function map(pages) {
  const rows = readFileSync(join(pages, "..", "..", "..", "data", "provinces.csv"), "utf8").trim().split("\n").slice(1);
  const provinces = new Map(rows.map((row) => row.split(",")).map(([, code, name, , region]) => [folded(name), { code, name, region }]));
  const shapes = vietnam.locations.map(({ id, path }) => {
    const province = provinces.get(OTHER_NAMES[id] ?? ARCHIPELAGOS[id] ?? id);
    if (!province) throw new Error(`no province is called ${id}`);
    const islands = id in ARCHIPELAGOS ? id : undefined;
    return { ...province, islands, path: written(outlines(path).map((line) => simplified(line, islands ? 0.1 : TOLERANCE))) };
  });
  const named = new Set(shapes.map((shape) => shape.code));
  if (named.size !== provinces.size) throw new Error(`${named.size} of ${provinces.size} provinces are on the map`);
  return JSON.stringify({ viewBox: vietnam.viewBox, shapes });
}

function folded(name) {
  return name.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase().replace(/[^a-z]/g, "");
}

/** The points of each outline; curves by their ends. */
function outlines(path) {
  const lines = [];
  let [x, y] = [0, 0];
  let [command, line] = ["", []];
  const tokens = path.match(/[a-zA-Z]|-?[\d.]+(?:e-?\d+)?/g) ?? [];
  for (let i = 0; i < tokens.length; ) {
    if (/[a-zA-Z]/.test(tokens[i])) command = tokens[i++];
    if (command === "z" || command === "Z") {
      if (line.length > 0) [x, y] = line[0];
      continue;
    }
    const take = command === "c" ? 6 : 2;
    const numbers = tokens.slice(i, i + take).map(Number);
    i += take;
    const [dx, dy] = numbers.slice(-2);
    const isRelative = command === command.toLowerCase();
    [x, y] = isRelative ? [x + dx, y + dy] : [dx, dy];
    if (command === "m" || command === "M") {
      lines.push((line = []));
      command = isRelative ? "l" : "L";
    }
    line.push([x, y]);
  }
  return lines;
}

/** Douglas and Peucker's. */
function simplified(line, tolerance) {
  if (line.length < 4) return line;
  const keep = new Set([0, line.length - 1]);
  const open = [[0, line.length - 1]];
  while (open.length > 0) {
    const [first, last] = open.pop();
    let [far, at] = [tolerance, -1];
    for (let i = first + 1; i < last; i++) {
      const away = distance(line[i], line[first], line[last]);
      if (away > far) [far, at] = [away, i];
    }
    if (at >= 0) {
      keep.add(at);
      open.push([first, at], [at, last]);
    }
  }
  return line.filter((_, i) => keep.has(i));
}

function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = Math.hypot(dx, dy);
  if (length === 0) return Math.hypot(x - ax, y - ay);
  return Math.abs(dx * (ay - y) - (ax - x) * dy) / length;
}

function written(lines) {
  const number = (value) => String(Math.round(value * 10) / 10);
  const point = ([x, y]) => `${number(x)} ${number(y)}`;
  return lines.filter((line) => line.length > 2).map((line) => `M${line.map(point).join("L")}Z`).join("");
}
