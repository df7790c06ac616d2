/** Indicators and targets: of the country, province by province, or of a province, level by level. */

import { get } from "../api";
import { h, section, table, type Child } from "../dom";
import { day, level, perMille, place, whole } from "../format";
import { href, type Page } from "../page";
import { choice, query } from "../period";
import { said, t, type TextKey } from "../texts";
import type { IndicatorFigure, IndicatorReport, PlaceIndicators, TargetState } from "../types";
import { agency, figure } from "./parts";

const STATES: Record<TargetState, TextKey> = { met: "targetMet", "on-course": "targetOnCourse", late: "targetLate" };
/** Late ones first: they are what is looked for. */
const ORDER: TargetState[] = ["late", "on-course", "met"];

/** The page of the country, or of a province by its code. */
export function indicators(code: string): Page<IndicatorReport> {
  let again = () => {};
  return {
    title: "indicators",
    name: (found) => (found.province ? `${t("indicators")}: ${place(found.province)}` : t("indicators")),
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    load: (byItself) => get<IndicatorReport>(`indicators?province=${encodeURIComponent(code)}&${query()}`, byItself),
    draw: (found) => [
      code ? h("p", { class: "hint" }, h("a", { href: href("provinces", code) }, t("figuresOfPlace"))) : null,
      ...targets(found),
      section(t(code ? "byLevel" : "byPlace"), figures(found)),
      h("p", { class: "hint" }, t("indicatorsHint"), h("br"), t("targetsHint")),
    ],
  };
}

/** How many targets are met, on course, late; then each, with who holds it back. */
export function targets(found: IndicatorReport): Child[] {
  const all = found.places.flatMap((where) =>
    where.figures.flatMap((one) => one.targets.map((target) => ({ where, one, target }))),
  );
  if (all.length === 0) return [section(t("targets"), h("p", { class: "empty" }, t("noTargets")))];
  all.sort((a, b) => ORDER.indexOf(a.target.state) - ORDER.indexOf(b.target.state));
  const sum = (state: TargetState) => all.filter((each) => each.target.state === state).length;
  const rows = all.map(({ where, one, target }) => [
    found.province || !where.level ? named(where) : `${named({ ...where, level: null })}, ${level(where.level)}`,
    said(one.name),
    h("strong", {}, shown(one, one.share.value)),
    h("span", {}, shown(one, target.value), h("small", {}, `${t("dueBy")} ${day(target.by)}`)),
    h("span", { class: `target ${target.state}` }, t(STATES[target.state])),
    h("ul", { class: "plain" }, ...target.holders.map((holder) => h("li", {}, holdsBack(where, holder), `: ${shown(one, holder.share.value)}`))),
  ]);
  const heads = [t(found.province ? "level" : "place"), t("indicator"), t("now"), t("target"), t("targetState"), t("heldBackBy")];
  return [
    h(
      "dl",
      { class: "figures three", id: "target-states" },
      ...ORDER.map((state) => figure(t(STATES[state]), h("span", { id: `target-${state}` }, whole(sum(state))), undefined, `target ${state}`)),
    ),
    section(t("targets"), table(t("targets"), heads, rows, [2, 3])),
  ];
}

function holdsBack(where: PlaceIndicators, holder: { code: string; name: string }): Child {
  // Of the country provinces hold back, of a province agencies.
  return where.code === "" ? h("a", { href: href("indicators", holder.code) }, place(holder)) : agency(holder);
}

/** Every place on a line, every indicator in a column. Of the country, levels have their targets alone. */
function figures(found: IndicatorReport): HTMLElement {
  const places = found.places.filter((where) => found.province !== null || where.level === null);
  const first = places[0];
  if (!first) return h("p", { class: "empty" }, t("nothing"));
  const link = (where: PlaceIndicators) =>
    where.code && where.code !== "TW" && !found.province ? h("a", { class: "short", href: href("indicators", where.code) }, named(where)) : named(where);
  const heads = [t(found.province ? "level" : "place"), ...first.figures.map((one) => said(one.name))];
  const active = places.filter((where) => where === first || takesPart(where));
  const idle = places.filter((where) => !active.includes(where));
  const rows = active.map((where) => [link(where), ...where.figures.map((one) => value(one))]);
  return h(
    "div",
    { class: "dense", id: "indicator-figures" },
    table(t("indicators"), heads, rows, first.figures.map((_, i) => i + 1)),
    idle.length === 0
      ? null
      : h(
          "details",
          { class: "idle", "data-open": "idle" },
          h("summary", {}, `${whole(idle.length)} ${t("idlePlaces")}`),
          h("p", {}, ...idle.flatMap((where, i) => [i > 0 ? ", " : "", link(where)])),
        ),
  );
}

/** Whether anything was sent or received there, or a target is set. */
function takesPart(where: PlaceIndicators): boolean {
  return where.figures.some((one) => one.share.numerator > 0 || one.targets.length > 0);
}

function value(one: IndicatorFigure): HTMLElement {
  const { numerator, denominator } = one.share;
  const of = one.unit === "dong" ? `${whole(numerator)} ${t("pages")}` : `${whole(numerator)}/${whole(denominator)}`;
  const before = one.before.value === null ? "" : `${t("periodBefore")} ${shown(one, one.before.value)}`;
  const worst = ORDER.find((state) => one.targets.some((target) => target.state === state));
  return h("span", { title: before }, h("span", { class: worst ? `target ${worst}` : undefined }, shown(one, one.share.value)), h("small", {}, of));
}

/** A value in its indicator's unit. */
function shown(one: IndicatorFigure, value: number | null): string {
  if (value === null) return "–";
  if (one.unit === "per-mille") return perMille(value);
  return one.unit === "dong" ? `${whole(value)} ${t("dong")}` : whole(value);
}

function named(where: PlaceIndicators): string {
  const name = where.code === "" ? t("country") : where.code === "TW" ? t("centre") : place(where);
  return where.level ? level(where.level) : name;
}
