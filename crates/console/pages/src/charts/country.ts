/** The country, coloured by a measure, with Hoàng Sa and Trường Sa. */

import { svg } from "../dom";
import { t } from "../texts";
import type { MapShapes } from "../types";
import { shades } from "./shade";

export interface Region {
  value: number | null;
  text: string;
}

/** Draws the map. `chosen` is called with a province's code; Tab goes from one to the next. */
export function country(map: MapShapes, regions: Map<string, Region>, chosen: (code: string) => void): SVGSVGElement {
  const shade = shades([...regions.values()].map((region) => region.value));
  // By code, so that an archipelago is read with its province.
  const shapes = [...map.shapes].sort((a, b) => (a.code + (a.islands ?? "")).localeCompare(b.code + (b.islands ?? "")));
  const drawn = shapes.map(({ code, name, islands, path }) => {
    const region = regions.get(code);
    const place = islands ? `${t(islands === "hoangsa" ? "hoangSa" : "truongSa")} (${name})` : name;
    const title = `${place}: ${region?.text ?? t("noValue")}`;
    const isReachable = !islands && region !== undefined;
    return svg(
      "path",
      {
        d: path,
        class: `province ${shade(region?.value ?? null)}${islands ? " islands" : ""}`,
        tabindex: isReachable ? 0 : undefined,
        role: isReachable ? "link" : undefined,
        "aria-label": isReachable ? title : undefined,
        "data-focus": isReachable ? `map ${code}` : undefined,
        click: () => region && chosen(code),
        keydown: (event: KeyboardEvent) => event.key === "Enter" && region && chosen(code),
      },
      svg("title", {}, title),
    );
  });
  const name = (key: "hoangSa" | "truongSa", x: number, y: number) => svg("text", { class: "islands", x, y }, t(key));
  return svg(
    "svg",
    { class: "country", viewBox: map.viewBox, role: "group", "aria-label": t("map") },
    ...drawn,
    name("hoangSa", 640, 395),
    name("truongSa", 690, 640),
  );
}
