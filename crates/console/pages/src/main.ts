/** The pages: the frame around them, and which one is shown. */

import { change, Declined, session } from "./api";
import { h, type Child } from "./dom";
import { exactly } from "./format";
import { listen, onOverview, stop } from "./live";
import { go, href, type Page } from "./page";
import { setNow } from "./period";
import { inUse, switchLanguage, t, type TextKey } from "./texts";
import type { Session } from "./types";
import { accounts, ownPassword, signIn, territoryText, ROLES } from "./views/accounts";
import { document as oneDocument, documents } from "./views/documents";
import { evidence } from "./views/evidence";
import { handling, top } from "./views/handling";
import { indicators } from "./views/indicators";
import { acts, agencies, certificates, refusals, waiting } from "./views/lists";
import { map } from "./views/map";
import { overview } from "./views/overview";
import { province } from "./views/province";
import { refusal } from "./views/refusal";
import { matrix, timeline } from "./views/traffic";

/** The contents, in groups; an entry leads to the page of its name. */
const CONTENTS: [TextKey, TextKey[]][] = [
  ["monitoring", ["overview", "indicators", "map", "timeline", "handling", "matrix", "top"]],
  ["lookup", ["documents", "waiting", "refusals", "agencies", "certificates", "evidence"]],
  ["administration", ["acts", "accounts"]],
];

/** How long a page that keeps itself up to date waits at least before it asks again. */
const AGAIN_AFTER = 2_500;

let now = "";
/** Who looks. */
let visitor: Session | undefined;

/** The province of whoever does not see the country; nothing for whoever does. */
function ownProvince(): string {
  const held = visitor?.appointments ?? [];
  if (held.some((one) => one.territory.kind === "country")) return "";
  return held.find((one) => one.territory.kind === "province")?.territory.code ?? "";
}

/** Whether single agencies are all that may be seen. */
function seesAgenciesOnly(): boolean {
  const held = visitor?.appointments ?? [];
  return held.length > 0 && held.every((one) => one.territory.kind === "agency");
}

/** The page that an address leads to. */
function page(path: string[]): Page<unknown> | undefined {
  const [name, first = "", second = "", third = ""] = path;
  switch (name ?? "") {
    case "":
    case "overview":
      return overview() as Page<unknown>;
    case "indicators":
      return indicators(first || ownProvince()) as Page<unknown>;
    case "handling":
      return handling(seesAgenciesOnly()) as Page<unknown>;
    case "top":
      return top() as Page<unknown>;
    case "map":
      return map() as Page<unknown>;
    case "timeline":
      return timeline() as Page<unknown>;
    case "matrix":
      return matrix() as Page<unknown>;
    case "provinces":
      return province(first, seesAgenciesOnly()) as Page<unknown>;
    case "documents":
      return (second ? oneDocument(first, second) : documents(first)) as Page<unknown>;
    case "waiting":
      return waiting(() => now) as Page<unknown>;
    case "refusals":
      return refusals() as Page<unknown>;
    case "agencies":
      return agencies(first, second, third) as Page<unknown>;
    case "certificates":
      return certificates() as Page<unknown>;
    case "evidence":
      return evidence() as Page<unknown>;
    case "acts":
      return acts() as Page<unknown>;
    case "accounts":
      return accounts() as Page<unknown>;
    case "password":
      return ownPassword(() => void start()) as Page<unknown>;
    default:
      return undefined;
  }
}

/** Shows one page, and keeps it up to date. */
class Shown {
  private readonly heading = h("h1", { tabindex: -1 });
  private readonly body = h("div", { class: "body" });
  private drawn = "";
  private asked = 0;
  /** Counts the questions: only the newest one's answer is drawn. */
  private turn = 0;
  private isAsking = false;
  private isGone = false;

  constructor(
    private readonly page: Page<unknown>,
    main: HTMLElement,
  ) {
    main.replaceChildren(this.heading, page.controls ?? "", this.body);
    this.call(t(page.title));
    this.body.replaceChildren(h("p", { class: "hint" }, t("loading")));
    page.onChange?.(() => void this.ask(false));
    void this.ask(false);
  }

  private call(name: string): void {
    this.heading.replaceChildren(name);
    document.title = `${name} – ${t("title")}`;
  }

  /** Another page takes its place. */
  leave(): void {
    this.isGone = true;
  }

  /** The hub has a new block. */
  changed(): void {
    const isDue = performance.now() - this.asked >= AGAIN_AFTER;
    if (this.page.isLive && isDue && !this.isAsking && !document.hidden) void this.ask(true);
  }

  private async ask(byItself: boolean): Promise<void> {
    const turn = ++this.turn;
    const isOver = () => this.isGone || turn !== this.turn;
    this.isAsking = true;
    this.asked = performance.now();
    try {
      const answer = await this.page.load(byItself);
      const text = JSON.stringify(answer);
      if (isOver() || (byItself && text === this.drawn)) return;
      this.drawn = text;
      replace(this.body, this.page.draw(answer));
      if (this.page.name) this.call(this.page.name(answer));
    } catch (error) {
      if (isOver() || (byItself && !(error instanceof Declined))) return;
      if (error instanceof Declined && error.body?.code === "SIGN_IN_REQUIRED") return void start();
      // The same answer as before is drawn again in its place.
      this.drawn = "";
      const again = h("button", { type: "button", click: () => void this.ask(false) }, t("tryAgain"));
      this.body.replaceChildren(refusal(error), h("p", {}, again));
    } finally {
      if (turn === this.turn) this.isAsking = false;
    }
  }
}

/** Puts new children in place of the old; what was open and focused stays so. */
function replace(body: HTMLElement, children: Child[]): void {
  const focused = document.activeElement;
  const isWithin = focused !== null && body.contains(focused);
  const mark = isWithin ? (focused.getAttribute("data-focus") ?? focused.getAttribute("href") ?? focused.getAttribute("aria-label")) : null;
  const open = new Set([...body.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-open")));
  const scrolled = new Map([...body.querySelectorAll(".scroll")].map((one) => [one.getAttribute("aria-label"), one.scrollLeft]));
  body.replaceChildren(...children.filter((child): child is Node => child instanceof Node));
  for (const one of body.querySelectorAll("details")) one.open = open.has(one.getAttribute("data-open"));
  for (const one of body.querySelectorAll(".scroll")) one.scrollLeft = scrolled.get(one.getAttribute("aria-label")) ?? 0;
  if (mark === null) return;
  const same = (one: Element) => [one.getAttribute("data-focus"), one.getAttribute("href"), one.getAttribute("aria-label")].includes(mark);
  const found = [...body.querySelectorAll<HTMLElement | SVGElement>("[data-focus], a, .scroll, summary")].find(same);
  found?.focus({ preventScroll: true });
}

/** Where the contents do not stand beside the page. */
const narrow = matchMedia("(max-width: 60rem)");

let shown: Shown | undefined;
let silence: (() => void) | undefined;

/** Begins anew: who is signed in, the frame, the page. */
async function start(): Promise<void> {
  silence?.();
  shown?.leave();
  stop();
  document.documentElement.lang = inUse();
  let found: Session;
  try {
    found = await session();
  } catch {
    const again = h("button", { type: "button", click: () => void start() }, t("tryAgain"));
    document.body.replaceChildren(h("main", { class: "alone" }, h("p", {}, t("failed")), again));
    return;
  }
  visitor = found;
  now = found.clock.now;
  setNow(now);
  const main = h("main", { id: "main", tabindex: -1 });
  document.body.replaceChildren(...frame(found, main));
  if (!found.admitted) {
    document.title = t("title");
    main.replaceChildren(signIn(found, () => void start()));
    return;
  }
  route(main);
  onhashchange = () => {
    route(main);
    // What was focused went with the page before; who reads by ear is told of the new one.
    main.querySelector("h1")?.focus();
  };
  const light = document.getElementById("live");
  const clock = document.getElementById("clock");
  listen((isAlive) => {
    light?.classList.toggle("lost", !isAlive);
    light?.replaceChildren(t(isAlive ? "live" : "notLive"));
  });
  silence = onOverview((overview) => {
    now = overview.now;
    setNow(now);
    clock?.replaceChildren(exactly(now));
    shown?.changed();
  });
}

function route(main: HTMLElement): void {
  const path = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  shown?.leave();
  shown = undefined;
  const found = page(path);
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.getAttribute("href") === href(path[0] || "overview");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (narrow.matches) document.querySelector("details.menu")?.removeAttribute("open");
  if (!found) {
    main.replaceChildren(h("h1", { tabindex: -1 }, t("notFound")));
    return;
  }
  shown = new Shown(found, main);
}

function frame(found: Session, main: HTMLElement): Node[] {
  const isAdministrator = found.appointments.some((one) => one.role === "administrator");
  const seesAll = found.person === null || found.appointments.some((one) => one.territory.kind === "country");
  const open: Partial<Record<TextKey, boolean>> = { accounts: isAdministrator, acts: seesAll, indicators: !seesAgenciesOnly() };
  const isOpen = (name: TextKey) => open[name] ?? true;
  const groups = CONTENTS.map(([group, names]) => [group, names.filter(isOpen)] as const).filter(([, names]) => names.length > 0);
  const contents = groups.map(([group, names]) =>
    h("div", { class: "group" }, h("h2", {}, t(group)), h("ul", {}, ...names.map((name) => h("li", {}, h("a", { href: href(name) }, t(name)))))),
  );
  const language = h("button", { type: "button", class: "quiet", id: "language", lang: inUse() === "vi" ? "en" : "vi", click: () => (switchLanguage(), void start()) }, t("otherLanguage"));
  const header = h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: href("overview") }, h("img", { src: "/assets/mark.svg", alt: "", width: 36, height: 36 }), h("span", {}, h("strong", {}, t("title")), h("small", {}, t("subtitle")))),
    h("div", { class: "about" }, found.admitted ? clock(found) : null, language, found.person ? who(found) : null),
  );
  const skip = h("a", { class: "skip", href: "#main", click: (event: Event) => (event.preventDefault(), main.focus()) }, t("skip"));
  if (!found.admitted) return [header, main];
  const menu = h("details", { class: "menu", open: !narrow.matches }, h("summary", {}, t("menu")), h("nav", { "aria-label": t("menu") }, ...contents));
  narrow.onchange = () => (menu.open = !narrow.matches);
  const foot = h("footer", {}, `${t("version")} ${found.version}`, found.accounts ? "" : ` · ${t("thisMachine")}`);
  return [skip, header, h("div", { class: "frame" }, menu, h("div", { class: "sheet" }, main, foot))];
}

function clock(found: Session): HTMLElement {
  const time = h("time", { id: "clock" }, exactly(found.clock.now));
  const scenario = found.clock.scenario ? h("strong", { class: "scenario" }, found.clock.rate === 1 ? t("scenarioClock") : `${t("scenarioClock")} ×${found.clock.rate}`) : null;
  return h("div", { class: "clock" }, h("span", { id: "live", role: "status" }, t("live")), h("span", {}, `${t("businessTime")} `, time), scenario);
}

function who(found: Session): HTMLElement {
  const roles = found.appointments.map((one) => `${t(ROLES[one.role])}, ${territoryText(one.territory)}`).join("; ");
  const out = async () => {
    await change("DELETE", "session").catch(() => undefined);
    location.hash = "";
    void start();
  };
  return h(
    "div",
    { class: "who" },
    h("span", {}, h("strong", {}, found.person ?? ""), h("small", {}, roles)),
    h("button", { type: "button", class: "quiet", click: () => go("password") }, t("ownPassword")),
    h("button", { type: "button", class: "quiet", id: "sign-out", click: () => void out() }, t("signOut")),
  );
}

void start();
