import { get, shapes } from "../api";
import { country, type Region } from "../charts/country";
import { h, section, table } from "../dom";
import { count, place, share, whole } from "../format";
import { go, href, type Page } from "../page";
import { choice, query } from "../period";
import { t, type TextKey } from "../texts";
import type { MapShapes, PlaceRow, Provinces } from "../types";

/** What the map can be coloured by: a value to compare, and how it reads. */
const MEASURES = {
  sent: { text: "sent", value: (row) => row.sent, read: (row) => whole(row.sent) },
  received: { text: "received", value: (row) => row.received, read: (row) => whole(row.received) },
  personal: {
    text: "personallySignedShare",
    value: (row) => (row.sent ? row.personally_signed / row.sent : null),
    read: (row) => share(row.personally_signed, row.sent),
  },
  undelivered: { text: "undelivered", value: (row) => row.undelivered, read: (row) => whole(row.undelivered) },
  refused: { text: "refused", value: (row) => row.refused, read: (row) => count(row.refused) },
  connected: {
    text: "connectedShare",
    value: (row) => (row.agencies ? row.connected / row.agencies : null),
    read: (row) => share(row.connected, row.agencies),
  },
} satisfies Record<string, { text: TextKey; value: (row: PlaceRow) => number | null; read: (row: PlaceRow) => string }>;

type MeasureName = keyof typeof MEASURES;

let chosen: MeasureName = "received";

/** The map of provinces by any measure, and the same figures in a table. */
export function map(): Page<{ provinces: Provinces; map: MapShapes }> {
  let again = () => {};
  const options = Object.entries(MEASURES).map(([name, { text }]) => h("option", { value: name, selected: name === chosen }, t(text)));
  const select = h("select", { id: "measure", change: () => ((chosen = select.value as MeasureName), again()) }, ...options);
  const measure = h("label", { class: "control" }, h("span", {}, t("measure")), select);
  return {
    title: "map",
    controls: h("div", { class: "controls" }, measure, choice(() => again())),
    onChange: (call) => (again = call),
    isLive: true,
    async load(byItself) {
      const [provinces, map] = await Promise.all([get<Provinces>(`provinces?${query()}`, byItself), shapes<MapShapes>()]);
      return { provinces, map };
    },
    draw: ({ provinces, map }) => [
      h(
        "div",
        { class: "halves" },
        section(
          t(MEASURES[chosen].text),
          country(map, regions(provinces, chosen), (code) => go("provinces", code)),
          h("p", { class: "hint" }, t("mapHint"), h("br"), t("mapCredit")),
        ),
        section(t("place"), h("div", { class: "tall" }, places(provinces))),
      ),
    ],
  };
}

/** The map's regions by a measure. */
export function regions(provinces: Provinces, name: MeasureName): Map<string, Region> {
  const { value, read, text } = MEASURES[name];
  const seen = provinces.places.filter((row): row is PlaceRow & { province: { code: string } } => row.province !== null);
  return new Map(seen.map((row) => [row.province.code, { value: value(row), text: `${t(text)} ${read(row)}` }]));
}

function places(provinces: Provinces): HTMLElement {
  const { value } = MEASURES[chosen];
  const sorted = [...provinces.places].sort((a, b) => (value(b) ?? -1) - (value(a) ?? -1));
  const row = (one: PlaceRow) => [
    one.province ? h("a", { href: href("provinces", one.province.code) }, place(one.province)) : place(null),
    whole(one.sent),
    whole(one.received),
    share(one.personally_signed, one.sent),
    whole(one.undelivered),
    count(one.refused),
    `${whole(one.connected)}/${whole(one.agencies)}`,
  ];
  const totals = provinces.totals;
  const sum = (of: (row: PlaceRow) => number) => provinces.places.reduce((all, one) => all + of(one), 0);
  const total = [
    h("strong", {}, t("total")),
    h("strong", { id: "total-sent" }, whole(totals.sent)),
    h("strong", { id: "total-received" }, whole(totals.received)),
    share(totals.personally_signed, totals.sent),
    whole(sum((one) => one.undelivered)),
    count(totals.refused),
    `${whole(sum((one) => one.connected))}/${whole(sum((one) => one.agencies))}`,
  ];
  const heads = [t("place"), t("sent"), t("received"), t("personallySignedShare"), t("undelivered"), t("refused"), t("agenciesConnected")];
  return table(t("place"), heads, [total, ...sorted.map(row)], [1, 2, 3, 4, 5, 6]);
}
