import { get } from "../api";
import { h, section, table, type Child } from "../dom";
import { exactly, moment, whole } from "../format";
import { go, type Page } from "../page";
import { said, t, type TextKey } from "../texts";
import type { Listed, Told } from "../types";
import { agency, cut, documentLink, named } from "./parts";

const URGENCIES: Record<string, TextKey> = {
  normal: "urgencyNormal",
  urgent: "urgencyUrgent",
  "very urgent": "urgencyVeryUrgent",
  express: "urgencyExpress",
  "express timed": "urgencyExpressTimed",
};
const STAGES: Record<string, TextKey> = {
  pending: "stagePending",
  waiting: "stageWaiting",
  acknowledged: "stageAcknowledged",
  arrived: "stageArrived",
  accepted: "stageAccepted",
  finished: "stageFinished",
  refused: "stageRefused",
  withdrawn: "stageWithdrawn",
};
const SIGNATURES: Record<Told["signature"], TextKey> = {
  none: "sigNone",
  seal: "sigSeal",
  personal: "sigPersonal",
  "personal-and-seal": "sigBoth",
};

/** Documents that a search answers with at most. */
const FOUND_MAX = 50;

/** Finding a document; without words, the newest. */
export function documents(words: string): Page<Listed[]> {
  const input = h("input", { type: "search", id: "document-search", value: words, placeholder: t("searchDocument"), "aria-label": t("searchDocument"), maxlength: 200 });
  const form = h(
    "form",
    {
      class: "controls",
      role: "search",
      submit: (event: Event) => {
        event.preventDefault();
        go("documents", ...(input.value.trim() ? [input.value.trim()] : []));
      },
    },
    input,
    h("button", { type: "submit" }, t("search")),
  );
  return {
    title: "documents",
    controls: form,
    isLive: words === "",
    load: (byItself) => get<Listed[]>(`documents?q=${encodeURIComponent(words)}`, byItself),
    draw(found) {
      const heading = words ? `${t("found")}: ${whole(found.length)}${found.length < FOUND_MAX ? "" : "+"}` : t("newestDocuments");
      const hint = words ? h("p", { class: "hint" }, t("searchHint")) : null;
      if (found.length === 0) return [section(heading, h("p", { class: "empty" }, t("nothing")), hint)];
      const rows = found.map((one) => [
        one.reference,
        documentLink(one.sender, one.id, one.subject),
        agency({ code: one.sender, name: one.sender_name }),
        named(URGENCIES, one.urgency),
        whole(one.recipients),
        moment(one.received_at),
      ]);
      const heads = [t("reference"), t("subject"), t("sender"), t("urgency"), t("recipients"), t("receivedAt")];
      return [section(heading, table(heading, heads, rows, [4]), hint)];
    },
  };
}

/** One document, followed from being sent to being finished. */
export function document(sender: string, id: string): Page<Told> {
  return {
    title: "documents",
    name: (told) => told.subject,
    isLive: true,
    load: (byItself) => get<Told>(`documents/${encodeURIComponent(sender)}/${encodeURIComponent(id)}`, byItself),
    draw: (told) => [
      facts([
        [t("reference"), told.reference],
        [t("sender"), agency({ code: told.sender, name: told.sender_name })],
        [t("receivedAt"), exactly(told.received_at)],
        [t("urgency"), named(URGENCIES, told.urgency)],
        [t("due"), told.due ? moment(told.due) : null],
        [t("signature"), t(SIGNATURES[told.signature])],
        [t("position"), whole(told.position)],
        [t("documentId"), h("code", {}, told.id)],
        [t("digest"), h("code", {}, told.sha256)],
      ]),
      told.progress ? section(t("progress"), progress(told.progress)) : null,
      told.waits.length > 0 ? section(t("waitsFor"), ofRecipients(told, told.explained), waits(told)) : null,
      section(t("history"), ofRecipients(told, told.explained), history(told)),
      section(t("recipients"), ofRecipients(told, told.deliveries.length), deliveries(told)),
    ],
  };
}

function facts(all: [string, Child][]): HTMLElement {
  const shown = all.filter(([, value]) => value !== null && value !== "");
  return h("dl", { class: "facts" }, ...shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Says of how many recipients something is shown, where it is not of all. */
function ofRecipients(told: Told, shown: number): Child {
  return cut(shown, told.deliveries_total, t("recipients"));
}

function progress(counts: Record<string, number>): HTMLElement {
  const stages = Object.keys(STAGES).filter((stage) => (counts[stage] ?? 0) > 0);
  return h(
    "ul",
    { class: "stages" },
    ...stages.map((stage) => h("li", { class: `stage-${stage}` }, h("strong", {}, whole(counts[stage] ?? 0)), " ", named(STAGES, stage))),
  );
}

function waits(told: Told): HTMLElement {
  const items = told.waits.map((wait) =>
    h(
      "li",
      {},
      wait.recipient ? agency(wait.recipient) : null,
      wait.recipient ? ": " : null,
      said(wait.why),
      wait.overdue ? h("strong", { class: "bad" }, ` ${t("overdue")}`) : null,
      h("small", { class: "remedy" }, `${t("remedy")}: ${said(wait.remedy)}`),
      h("small", {}, `${t("since")} ${moment(wait.since)}`, wait.actor ? ` · ${t("actor")}: ` : "", wait.actor ? agency(wait.actor) : null),
    ),
  );
  return h("ul", { class: "waits" }, ...items);
}

function history(told: Told): HTMLElement {
  const events = told.events.map((event) =>
    h(
      "li",
      { class: `event-${event.kind}` },
      h("time", { datetime: event.at }, exactly(event.at)),
      h("div", {}, h("span", {}, said(event.what)), event.recipient ? h("span", { class: "to" }, " ", agency(event.recipient)) : null, said(event.why) ? h("small", {}, said(event.why)) : null),
    ),
  );
  const before = told.events_left_out > 0 ? h("p", { class: "hint" }, `${whole(told.events_left_out)} ${t("leftOut")}`) : null;
  return h("div", {}, before, h("ol", { class: "history" }, ...events));
}

function deliveries(told: Told): HTMLElement {
  const rows = told.deliveries.map((one) => [
    agency(one.recipient),
    h("span", { class: `stage stage-${one.stage}` }, named(STAGES, one.stage)),
    one.acknowledged_at ? exactly(one.acknowledged_at) : "–",
    whole(one.attempts),
  ]);
  return table(t("recipients"), [t("agency"), t("stage"), t("deliveredAt"), t("attempts")], rows, [3]);
}
