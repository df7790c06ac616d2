import { get } from "../api";
import { h, section, table } from "../dom";
import { day, exactly, level, moment, shownOf, whole } from "../format";
import { go, type Page } from "../page";
import { choice, query } from "../period";
import { said, t, type TextKey } from "../texts";
import type { Act, Agencies, Certificates, Refusals, Waiting } from "../types";
import { agency, cut, mailboxes, named } from "./parts";
import { ROLES } from "./accounts";

const STATES: Record<string, TextKey> = { connected: "stateConnected", held: "stateHeld", suspended: "stateSuspended" };
const KINDS: Record<string, TextKey> = {
  authority: "kindAuthority",
  person: "kindPerson",
  seal: "kindSeal",
  node: "kindNode",
  operator: "kindOperator",
  hub: "kindHub",
};
const LINKS: [string, TextKey][] = [["", "anyLink"], ["online", "online"], ["offline", "offline"]];
const DAYS = [30, 90, 365];
const ORDERS: [string, TextKey][] = [["oldest", "orderOldest"], ["most", "orderMost"]];

/** What is stuck, and why. */
export function waiting(now: () => string): Page<Waiting> {
  let again = () => {};
  let order = "oldest";
  const options = ORDERS.map(([name, text]) => h("option", { value: name, selected: name === order }, t(text)));
  const select = h("select", { id: "order", change: () => ((order = select.value), again()) }, ...options);
  return {
    title: "waiting",
    controls: h("div", { class: "controls" }, h("label", { class: "control" }, h("span", {}, t("order")), select)),
    onChange: (call) => (again = call),
    isLive: true,
    load: (byItself) => get<Waiting>(`waiting?order=${order}`, byItself),
    draw: (found) => [
      section(
        `${whole(found.total)} ${t("mailboxesNotEmpty")}`,
        h("p", { class: "hint" }, `${whole(found.documents)} ${t("documentsWait")}`),
        cut(found.mailboxes.length, found.total),
        mailboxes(found.mailboxes, now()),
      ),
    ],
  };
}

/** Refusals by reason, with examples. */
export function refusals(): Page<Refusals> {
  let again = () => {};
  return {
    title: "refusals",
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    load: (byItself) => get<Refusals>(`refusals?${query()}`, byItself),
    draw: (found) => [
      h("p", { class: "sum" }, `${t("total")}: `, h("strong", { id: "refused-total" }, whole(found.total))),
      found.partial ? h("p", { class: "hint" }, t("refusalsPartial")) : null,
      found.reasons.length === 0 ? h("p", { class: "empty" }, t("nothing")) : null,
      ...found.reasons.map((one) =>
        h(
          "details",
          { class: "reason", "data-open": one.code },
          h("summary", {}, h("strong", {}, whole(one.count)), h("span", {}, said(one.meaning)), h("code", {}, one.code)),
          h("p", { class: "remedy" }, `${t("remedy")}: ${said(one.remedy)}`),
          one.examples.length === 0
            ? null
            : table(
                t("examples"),
                [t("at"), t("caller"), t("field"), t("value"), t("documentId")],
                one.examples.map((example) => [
                  moment(example.at),
                  agency(example.caller),
                  h("code", {}, example.violations.map((violation) => violation.field).join(", ")),
                  example.violations.map((violation) => violation.value).join(", "),
                  h("code", {}, example.id),
                ]),
              ),
        ),
      ),
    ],
  };
}

/** Agencies and their connection. */
export function agencies(province: string, words: string, link: string): Page<Agencies> {
  const input = h("input", { type: "search", value: words, placeholder: t("searchAgency"), "aria-label": t("searchAgency"), maxlength: 100 });
  const options = LINKS.map(([name, text]) => h("option", { value: name, selected: name === link }, t(text)));
  const select = h("select", { "aria-label": t("link"), change: () => ask() }, ...options);
  const ask = () => go("agencies", province, input.value.trim(), select.value);
  const form = h(
    "form",
    { class: "controls", role: "search", submit: (event: Event) => (event.preventDefault(), ask()) },
    input,
    select,
    h("button", { type: "submit" }, t("search")),
  );
  return {
    title: "agencies",
    controls: form,
    isLive: true,
    load: (byItself) => get<Agencies>(`agencies?q=${encodeURIComponent(words)}&province=${encodeURIComponent(province)}&link=${link}`, byItself),
    draw(found) {
      const rows = found.agencies.map((one) => [
        h("code", { class: "short" }, one.code),
        one.name,
        level(one.level),
        named(STATES, one.state),
        h(
          "span",
          { class: one.connections > 0 ? "short good" : "short dim" },
          one.connections > 0 ? t("online") : t("offline"),
          one.gateway ? ` (${t("viaGateway")} ${one.gateway})` : "",
        ),
        whole(one.undelivered),
      ]);
      const heading = shownOf(found.agencies.length, found.total);
      return [section(heading, table(t("agencies"), [t("code"), t("name"), t("level"), t("state"), t("link"), t("undelivered")], rows, [5]))];
    },
  };
}

/** Certificates soon to expire, and revocation lists. */
export function certificates(): Page<Certificates> {
  let again = () => {};
  let days = 90;
  let skip = 0;
  const options = DAYS.map((one) => h("option", { value: one, selected: one === days }, `${one} ${t("days")}`));
  const select = h("select", { change: () => ((days = Number(select.value)), (skip = 0), again()) }, ...options);
  return {
    title: "certificates",
    controls: h("div", { class: "controls" }, h("label", { class: "control" }, h("span", {}, t("expiringWithin")), select)),
    onChange: (call) => (again = call),
    load: () => get<Certificates>(`certificates?days=${days}&skip=${skip}`),
    draw(found) {
      const rows = found.expiring.map((one) => [
        one.agency ? agency(one.agency) : one.name,
        named(KINDS, one.kind),
        one.agency ? one.name : "",
        h("span", { class: one.expired ? "bad" : undefined }, day(one.until), one.expired ? ` (${t("expired")})` : ""),
      ]);
      const lists = found.lists.map((list) => [
        list.issuer,
        list.number,
        moment(list.this_update),
        h("span", { class: list.late ? "bad" : undefined }, list.next_update ? moment(list.next_update) : "–", list.late ? ` (${t("late")})` : ""),
        whole(list.revoked),
      ]);
      return [
        section(
          `${t("expiringWithin")} ${found.days} ${t("days")}: ${whole(found.total)}`,
          h("p", { class: "hint" }, `${whole(found.in_use)} ${t("inUse")}`),
          rows.length === 0
            ? h("p", { class: "good" }, t("noneExpires"))
            : table(t("certificates"), [t("agency"), t("kind"), t("holder"), t("until")], rows),
          skip > 0 || found.next !== null
            ? h(
                "p",
                { class: "more" },
                skip > 0 ? h("button", { type: "button", class: "quiet", click: () => ((skip = 0), again()) }, t("first")) : null,
                found.next === null ? null : h("button", { type: "button", class: "quiet", click: () => ((skip = found.next ?? 0), again()) }, t("more")),
              )
            : null,
        ),
        section(t("revocationLists"), table(t("revocationLists"), [t("issuer"), t("number"), t("thisUpdate"), t("nextUpdate"), t("revoked")], lists, [4])),
      ];
    },
  };
}

/** What people changed. */
export function acts(): Page<Act[]> {
  return {
    title: "acts",
    isLive: true,
    load: (byItself) => get<Act[]>("acts", byItself),
    draw(found) {
      const rows = found.map((act) => [
        exactly(act.at),
        act.by ? h("span", {}, h("code", {}, act.by), act.role ? ` (${t(ROLES[act.role])})` : "") : t("folderOrHub"),
        said(act.what),
        whole(act.block),
      ]);
      return [section(t("newestActs"), table(t("acts"), [t("at"), t("by"), t("act"), t("block")], rows, [3]))];
    },
  };
}
