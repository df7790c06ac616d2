import { get } from "../api";
import { h, section, table } from "../dom";
import { count, level, place, share, span, whole } from "../format";
import { href, type Page } from "../page";
import { choice, periodName, query } from "../period";
import { ask, type Sheet } from "../statistics";
import { t } from "../texts";
import type { Province } from "../types";
import { LEVELS } from "./traffic";
import { comparison, SENT_AND_RECEIVED } from "./compared";
import { agencies, most, timesOf, timesTable } from "./handling";
import { figure, mailboxes, reasons } from "./parts";

/** Agencies that are listed. */
const TOP = 10;

interface All {
  period: string;
  province: Province;
  compared: Sheet;
  /** None for whoever sees single agencies only, by which times are not counted. */
  times: Sheet | null;
  sent: Sheet;
  received: Sheet;
}

/** One province. */
export function province(code: string, isOfAgencies: boolean): Page<All> {
  let again = () => {};
  return {
    title: "place",
    name: ({ province }) => place(province.province),
    controls: h("div", { class: "controls" }, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    async load(byItself) {
      const where = [`province=${code}`];
      const [period, asked] = [periodName(), query()];
      // Whether there is such a province is said once, by the first.
      const province = await get<Province>(`provinces/${encodeURIComponent(code)}?${asked}`, byItself);
      const [compared, times, sent, received] = await Promise.all([
        ask({ ...SENT_AND_RECEIVED, where }, asked, byItself),
        isOfAgencies ? null : timesOf(code, byItself),
        most("sent", where, byItself, TOP),
        most("received", where, byItself, TOP),
      ]);
      return { period, province, compared, times, sent, received };
    },
    draw({ period, province: found, compared, times, sent, received }) {
      const levels = LEVELS.flatMap((name) => {
        const one = found.levels[name];
        return one ? [[level(name), whole(one.sent), whole(one.received), share(one.personally_signed, one.sent)]] : [];
      });
      const oldest = found.oldest ? `${t("oldestSince")} ${span(found.oldest, found.until)}` : undefined;
      return [
        h(
          "dl",
          { class: "figures" },
          figure(t("sent"), whole(found.sent)),
          figure(t("received"), whole(found.received)),
          figure(t("personallySigned"), share(found.personally_signed, found.sent)),
          figure(t("undelivered"), whole(found.undelivered), oldest),
          figure(t("refused"), count(found.refused)),
          figure(t("agenciesConnected"), `${whole(found.connected)}/${whole(found.agencies)}`, h("a", { href: href("agencies", code) }, t("all"))),
        ),
        isOfAgencies ? null : h("p", {}, h("a", { href: href("indicators", code) }, t("indicatorsOfPlace"))),
        section(t("comparison"), comparison([{ name: period, sheet: compared }])),
        section(t("level"), table(t("level"), [t("level"), t("sent"), t("received"), t("personallySignedShare")], levels, [1, 2, 3])),
        times && section(t("timesByLevel"), timesTable(times, "level"), h("p", { class: "hint" }, t("timesHint"))),
        h("div", { class: "halves even" }, section(t("mostSent"), agencies("sent", sent)), section(t("mostReceived"), agencies("received", received))),
        section(t("longestWaiting"), mailboxes(found.waiting, found.until)),
        section(t("refusals"), reasons(found.refusals)),
      ];
    },
  };
}
