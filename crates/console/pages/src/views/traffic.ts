import { get } from "../api";
import { bars } from "../charts/bars";
import { grid } from "../charts/grid";
import { h, section, table } from "../dom";
import { day, level, place, whole } from "../format";
import type { Page } from "../page";
import { choice, periodName, query } from "../period";
import { ask, type Sheet } from "../statistics";
import { t } from "../texts";
import type { Matrix, Timeline } from "../types";
import { comparison, SENT_AND_RECEIVED } from "./compared";
import { hours } from "./overview";
import { agency } from "./parts";

/** From the top. */
export const LEVELS = ["ministry", "province", "district", "commune"];
/** Days between the names under the axis. */
const TICKS = 8;

/** Deliveries over time, beside the periods before. */
export function timeline(): Page<{ period: string; timeline: Timeline; compared: Sheet }> {
  let again = () => {};
  return {
    title: "timeline",
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    async load(byItself) {
      const period = periodName();
      const [timeline, compared] = await Promise.all([get<Timeline>(`timeline?${query()}`, byItself), ask(SENT_AND_RECEIVED, query(), byItself)]);
      return { period, timeline, compared };
    },
    draw({ period, timeline: found, compared }) {
      const heading = t(found.by === "hour" ? "byHour" : "byDay");
      const every = Math.max(1, Math.ceil(found.steps.length / TICKS));
      const days = found.steps.map((step, i) => {
        const label = day(step.from);
        return { label, tick: i % every === 0 ? label.slice(0, 5) : undefined, value: step.deliveries };
      });
      const isDay = found.by === "hour" && found.steps.length <= 25;
      const named = hours(found).map((bar, i) => ({ ...bar, tick: i % 24 === 0 ? days[i]?.label.slice(0, 5) : undefined }));
      const shown = found.by === "day" ? days : isDay ? hours(found) : named;
      const total = found.steps.reduce((sum, step) => sum + step.deliveries, 0);
      return [section(heading, h("p", { class: "sum" }, `${t("total")}: `, h("strong", {}, whole(total))), bars(heading, shown)), section(t("comparison"), comparison([{ name: period, sheet: compared }]))];
    },
  };
}

/** Who exchanges with whom. */
export function matrix(): Page<Matrix> {
  let again = () => {};
  return {
    title: "matrix",
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    load: (byItself) => get<Matrix>(`matrix?${query()}`, byItself),
    draw(found) {
      if (found.agencies.length > 0 || found.partial) return own(found);
      const corner = (from: string, to: string) => `${from} ↓ / ${to} →`;
      const levels = found.levels.map((cell) => ({ from: level(cell.from), to: level(cell.to), value: cell.deliveries }));
      const provinces = found.provinces.map((cell) => ({ from: place(cell.from), to: place(cell.to), value: cell.deliveries }));
      const names = [...new Set(provinces.flatMap((cell) => [cell.from, cell.to]))].sort((a, b) => a.localeCompare(b, "vi"));
      return [
        section(t("betweenLevels"), grid(t("betweenLevels"), corner(t("fromLevel"), t("toLevel")), LEVELS.map(level), levels)),
        section(t("betweenProvinces"), provinces.length === 0 ? h("p", { class: "empty" }, t("nothing")) : grid(t("betweenProvinces"), corner(t("sender"), t("recipients")), names, provinces)),
      ];
    },
  };
}

/** Whom the agencies that may be seen exchange with. */
function own(found: Matrix): HTMLElement[] {
  const rows = found.agencies.map((cell) => [agency(cell.from), agency(cell.to), whole(cell.deliveries)]);
  return [
    section(
      t("ownExchange"),
      rows.length === 0 ? h("p", { class: "empty" }, t("nothing")) : table(t("ownExchange"), [t("sender"), t("recipients"), t("received")], rows, [2]),
      h("p", { class: "hint" }, t(found.partial ? "ownExchangePartial" : "ownExchangeHint")),
    ),
  ];
}
