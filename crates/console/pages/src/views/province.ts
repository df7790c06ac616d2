import { get } from "../api";
import { h, section, table } from "../dom";
import { level, place, share, span, whole } from "../format";
import { href, type Page } from "../page";
import { choice, query } from "../period";
import { t } from "../texts";
import type { Province } from "../types";
import { figure, mailboxes, reasons } from "./parts";

/** One province. */
export function province(code: string): Page<Province> {
  let again = () => {};
  return {
    title: "place",
    name: (found) => place(found.province),
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    load: (byItself) => get<Province>(`provinces/${encodeURIComponent(code)}?${query()}`, byItself),
    draw(found) {
      const levels = Object.entries(found.levels).map(([name, one]) => [
        level(name),
        whole(one.sent),
        whole(one.received),
        share(one.personally_signed, one.sent),
      ]);
      const oldest = found.oldest ? `${t("oldestSince")} ${span(found.oldest, found.until)}` : undefined;
      return [
        h(
          "dl",
          { class: "figures" },
          figure(t("sent"), whole(found.sent)),
          figure(t("received"), whole(found.received)),
          figure(t("personallySigned"), share(found.personally_signed, found.sent)),
          figure(t("undelivered"), whole(found.undelivered), oldest),
          figure(t("refused"), whole(found.refused)),
          figure(t("agenciesConnected"), `${whole(found.connected)}/${whole(found.agencies)}`, h("a", { href: href("agencies", code) }, t("all"))),
        ),
        section(t("level"), table(t("level"), [t("level"), t("sent"), t("received"), t("personallySignedShare")], levels, [1, 2, 3])),
        section(t("longestWaiting"), mailboxes(found.waiting, found.until)),
        section(t("refusals"), reasons(found.refusals)),
      ];
    },
  };
}
