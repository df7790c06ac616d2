import { get, shapes } from "../api";
import { bars } from "../charts/bars";
import { country } from "../charts/country";
import { h, section } from "../dom";
import { count, moment, rate, span, whole } from "../format";
import { onOverview } from "../live";
import { go, href, type Page } from "../page";
import { periodName, query, type PeriodName } from "../period";
import { ask, type Sheet } from "../statistics";
import { t, type TextKey } from "../texts";
import type { MapShapes, Overview, Provinces, Refusals, Timeline, Waiting } from "../types";
import { comparison, SENT_AND_RECEIVED } from "./compared";
import { regions } from "./map";
import { figure, mailboxes, named, reasons } from "./parts";

const STATES: Record<string, TextKey> = { ready: "stateReady", draining: "stateDraining", failed: "stateFailed", ended: "stateEnded" };
const SHOWN = 5;
/** Periods that are compared with those before. */
const COMPARED: PeriodName[] = ["week", "month", "year"];

interface All {
  provinces: Provinces;
  timeline: Timeline;
  waiting: Waiting;
  refusals: Refusals;
  map: MapShapes;
  compared: { name: string; sheet: Sheet }[];
}

let figures: HTMLElement | undefined;
let silence: (() => void) | undefined;

/** The first page: figures that follow the hub, the map, the day, what waits, what was refused. */
export function overview(): Page<All> {
  silence?.();
  const shown = h("dl", { class: "figures", id: "figures" });
  figures = shown;
  silence = onOverview((found, perSecond) => {
    if (figures === shown) shown.replaceChildren(...drawFigures(found, perSecond));
  });
  return {
    title: "overview",
    controls: shown,
    isLive: true,
    async load(byItself) {
      const [provinces, timeline, waiting, refusals, map, compared] = await Promise.all([
        get<Provinces>("provinces", byItself),
        get<Timeline>("timeline", byItself),
        get<Waiting>("waiting", byItself),
        get<Refusals>("refusals", byItself),
        shapes<MapShapes>(),
        Promise.all(COMPARED.map(async (name) => ({ name: periodName(name), sheet: await ask(SENT_AND_RECEIVED, query(name), byItself) }))),
      ]);
      return { provinces, timeline, waiting, refusals, map, compared };
    },
    draw: ({ provinces, timeline, waiting, refusals, map, compared }) => [
      h(
        "div",
        { class: "halves" },
        section(t("map"), country(map, regions(provinces, "received"), (code) => go("provinces", code)), all("map")),
        h(
          "div",
          {},
          section(t("byHour"), bars(t("byHour"), hours(timeline)), all("timeline")),
          section(t("mostRefused"), reasons(refusals.reasons.slice(0, SHOWN)), all("refusals")),
        ),
      ),
      section(t("comparison"), comparison(compared)),
      section(t("longestWaiting"), mailboxes(waiting.mailboxes.slice(0, SHOWN), provinces.until), all("waiting")),
    ],
  };
}

function all(page: string): HTMLElement {
  return h("p", { class: "more" }, h("a", { href: href(page) }, t("all")));
}

/** The hours of a time line. */
export function hours(timeline: Timeline): { label: string; tick?: string | undefined; value: number }[] {
  return timeline.steps.map((step) => {
    const hour = Number(step.from.slice(11, 13));
    return { label: moment(step.from), tick: hour % 3 === 0 ? `${hour}h` : undefined, value: step.deliveries };
  });
}

function drawFigures(found: Overview, perSecond: number | null): Node[] {
  const { today, yesterday, undelivered, health } = found;
  const before = (value: number | null) => `${t("yesterday")} ${count(value)}`;
  const waits = undelivered.oldest
    ? `${whole(undelivered.agencies)} ${t("inMailboxes")}, ${t("oldestSince")} ${span(undelivered.oldest, found.now)}`
    : t("nothingStuck");
  const troubles = [
    health.space === "low" && t("spaceLow"),
    health.space === "none" && t("spaceNone"),
    health.lists_late > 0 && `${whole(health.lists_late)} ${t("listsLate")}`,
  ].filter((one): one is string => one !== false);
  const isWell = health.state === "ready" && troubles.length === 0;
  const about = [...troubles, `${whole(health.connections)} ${t("connections")}`, `${t("block")} ${whole(found.block)}`].join(" · ");
  return [
    figure(t("rateNow"), perSecond === null ? "–" : rate(perSecond), t("perSecond")),
    figure(t("sentToday"), h("span", { id: "sent-today" }, whole(today.sent)), before(yesterday.sent)),
    figure(t("receivedToday"), h("span", { id: "received-today" }, whole(today.received)), before(yesterday.received)),
    figure(t("undelivered"), h("span", { id: "undelivered" }, whole(undelivered.documents)), waits),
    figure(t("refusedToday"), h("span", { id: "refused-today" }, count(today.refused)), before(yesterday.refused)),
    figure(t("health"), named(STATES, health.state), about, isWell ? "well" : "ill"),
  ];
}
