/** What several pages show. */

import { h, table, type Child } from "../dom";
import { moment, shownOf, span, whole } from "../format";
import { href } from "../page";
import { said, t, type TextKey } from "../texts";
import type { CountedRefusal, Mailbox, Named } from "../types";

/** A figure with its name, and something about it. */
export function figure(name: string, value: Child, about?: Child, mark = ""): HTMLElement {
  return h("div", { class: `figure ${mark}` }, h("dt", {}, name), h("dd", {}, h("strong", {}, value), about ? h("small", {}, about) : null));
}

/** An agency's name with its code. */
export function agency(named: Named): HTMLElement {
  return h("span", { class: "agency" }, named.name || named.code, " ", h("code", {}, named.code));
}

/** Says how much of a list is shown, where that is not all of it. */
export function cut(shown: number, total: number, name = ""): HTMLElement | null {
  return shown < total ? h("p", { class: "hint" }, name && `${name}: `, shownOf(shown, total)) : null;
}

/** A link to a document. */
export function documentLink(sender: string, id: string, text: string): HTMLElement {
  return h("a", { href: href("documents", sender, id) }, text || id);
}

/** Mailboxes by their oldest document. */
export function mailboxes(all: Mailbox[], now: string): HTMLElement {
  if (all.length === 0) return h("p", { class: "good" }, t("nothingStuck"));
  const rows = all.map((box) => [
    agency(box.agency),
    whole(box.documents),
    documentLink(box.oldest.sender, box.oldest.id, box.subject),
    h("span", { class: "short", title: moment(box.since) }, span(box.since, now)),
    h(
      "div",
      {},
      box.why ? said(box.why) : "",
      box.remedy ? h("small", { class: "remedy" }, `${t("remedy")}: ${said(box.remedy)}`) : null,
      box.actor ? h("small", {}, `${t("actor")}: `, agency(box.actor)) : null,
    ),
  ]);
  return table(t("waiting"), [t("agency"), t("undelivered"), t("oldest"), t("since"), t("why")], rows, [1]);
}

/** Reasons with how often they were given. */
export function reasons(all: CountedRefusal[]): HTMLElement {
  if (all.length === 0) return h("p", { class: "empty" }, t("nothing"));
  const rows = all.map((one) => [h("span", {}, said(one.meaning), " ", h("code", {}, one.code)), whole(one.count)]);
  return table(t("refusals"), [t("reason"), t("count")], rows, [1]);
}

/** A text whose key follows from a stable name, or the name where there is none. */
export function named<K extends string>(keys: Partial<Record<K, TextKey>>, name: K): string {
  const key = keys[name];
  return key ? t(key) : name;
}
