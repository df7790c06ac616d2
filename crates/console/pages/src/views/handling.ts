/** What becomes of deliveries: how far they came, how long that took; who sends and receives most. */

import { h, section, table, type Child } from "../dom";
import { count, level, place, share, within } from "../format";
import { href, type Page } from "../page";
import { choice, query } from "../period";
import { ask, figureOf, nameOf, type Question, type Row, type Sheet } from "../statistics";
import { t, type TextKey } from "../texts";
import { beside } from "./compared";

/** How far deliveries came; each with its name. */
const STEPS: [string, TextKey][] = [
  ["delivered", "delivered"],
  ["acknowledged", "acknowledged"],
  ["accepted", "accepted"],
  ["refused", "refused"],
  ["processed", "processed"],
  ["finished", "finished"],
  ["overdue", "overdueCount"],
];
/** What takes time, and the shares within which it did. */
const WAYS: [string, TextKey][] = [["arrive", "toArrive"], ["accept", "toAccept"], ["finish", "toFinish"]];
const SHARES = ["p50", "p90", "p99"];
/** Agencies that are listed. */
const TOP = 20;

const PROGRESS: Question = { measure: STEPS.map(([name]) => name) };
const TIMES: Question = { measure: WAYS.flatMap(([way]) => SHARES.map((one) => `${way}-${one}`)) };

/** Deliveries of a period: how far they came, and how long that took. */
export function handling(isOfAgencies: boolean): Page<{ progress: Sheet; times: Sheet | null; levels: Sheet | null }> {
  let again = () => {};
  return {
    title: "handling",
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    async load(byItself) {
      const by = isOfAgencies ? "agency" : "province";
      const [progress, times, levels] = await Promise.all([
        ask({ ...PROGRESS, by: [by] }, query(), byItself),
        isOfAgencies ? null : ask({ ...TIMES, by: ["province"] }, query(), byItself),
        isOfAgencies ? null : ask({ ...TIMES, by: ["level"] }, query(), byItself),
      ]);
      return { progress, times, levels };
    },
    draw: ({ progress, times, levels }) => [
      section(t("howFar"), steps(progress, isOfAgencies ? "agency" : "province")),
      levels && section(t("timesByLevel"), timesTable(levels, "level"), h("p", { class: "hint" }, t("timesHint"))),
      times && section(t("timesByPlace"), timesTable(times, "province")),
    ],
  };
}

/** How long it took in a province, level by level. */
export function timesOf(code: string, byItself: boolean): Promise<Sheet> {
  return ask({ ...TIMES, by: ["level"], where: [`province=${code}`] }, query(), byItself);
}

function steps(found: Sheet, dimension: string): HTMLElement {
  if (found.rows.length === 0) return h("p", { class: "empty" }, t("nothing"));
  const row = (name: Child, one: Row) => [
    name,
    ...STEPS.map(([measure], i) => {
      const value = figureOf(one, measure) ?? 0;
      const made = figureOf(one, "delivered") ?? 0;
      return i === 0 ? count(value) : h("span", {}, count(value), h("small", {}, share(value, made)));
    }),
  ];
  const total = row(h("strong", {}, t("total")), found.total);
  const rows = found.rows.map((one) => row(reference(one, dimension), one));
  const heads = [t(dimension === "agency" ? "agency" : "place"), ...STEPS.map(([, text]) => t(text))];
  const numbers = STEPS.map((_, i) => i + 1);
  return h("div", { id: "progress", class: "dense" }, table(t("howFar"), heads, [total, ...rows], numbers));
}

/** Within which time half, 90 and 99 of a hundred got so far. */
export function timesTable(found: Sheet, dimension: string): HTMLElement {
  if (found.rows.length === 0) return h("p", { class: "empty" }, t("nothing"));
  const cells = (one: Row) => WAYS.flatMap(([way]) => SHARES.map((part) => within(figureOf(one, `${way}-${part}`))));
  const heads = WAYS.flatMap(([, text]) => SHARES.map((part) => `${t(text)} ${part.slice(1)}\u00a0%`));
  const rows = found.rows.map((one) => [reference(one, dimension), ...cells(one)]);
  const total = [h("strong", {}, t("total")), ...cells(found.total)];
  const [caption, first]: [TextKey, TextKey] = dimension === "level" ? ["timesByLevel", "level"] : ["timesByPlace", "place"];
  return h("div", { class: "dense times" }, table(t(caption), [t(first), ...heads], [total, ...rows], heads.map((_, i) => i + 1)));
}

/** Agencies that send and receive most. */
export function top(): Page<{ sent: Sheet; received: Sheet }> {
  let again = () => {};
  return {
    title: "top",
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    async load(byItself) {
      const [sent, received] = await Promise.all([most("sent", [], byItself), most("received", [], byItself)]);
      return { sent, received };
    },
    draw: ({ sent, received }) => [
      h("div", { class: "halves even" }, section(t("mostSent"), agencies("sent", sent)), section(t("mostReceived"), agencies("received", received))),
    ],
  };
}

/** Who sent or received most, where a condition holds. */
export function most(direction: "sent" | "received", where: string[], byItself: boolean, top = TOP): Promise<Sheet> {
  const question: Question = { measure: ["documents"], by: ["agency"], where: [`direction=${direction}`, ...where], compare: ["before"], top };
  return ask(question, query(), byItself);
}

/** Agencies by how much they sent or received, beside the period before. */
export function agencies(direction: "sent" | "received", found: Sheet): HTMLElement {
  if (found.rows.length === 0) return h("p", { class: "empty" }, t("nothing"));
  const rows = found.rows.map((one) => [reference(one, "agency"), count(figureOf(one, "documents")), beside(one, "documents", "before")]);
  return h("div", { id: `top-${direction}` }, table(t(direction), [t("agency"), t(direction), t("periodBefore")], rows, [1, 2]));
}

/** The name of a row, leading to the page that it has. */
function reference(row: Row, dimension: string): Child {
  const code = String(row[dimension] ?? "");
  const name = nameOf(row, dimension);
  if (dimension === "agency") return h("span", { class: "agency" }, name, " ", h("code", {}, code));
  if (dimension === "level") return level(code);
  if (dimension !== "province" || code === "TW") return name;
  return h("a", { class: "short", href: href("provinces", code) }, place({ name }));
}
