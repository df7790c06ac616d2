import { get } from "../api";
import { h, section } from "../dom";
import { whole } from "../format";
import type { Page } from "../page";
import { Unproven, verify, type Proven } from "../receipt";
import { inUse, t } from "../texts";
import type { Evidence } from "../types";

/** Largest file that is read: a receipt has some kilobytes. */
const FILE_BYTES_MAX = 256 * 1024;

/** The newest checkpoint, and verifying a receipt. */
export function evidence(): Page<Evidence> {
  return {
    title: "evidence",
    controls: verifier(),
    isLive: true,
    load: (byItself) => get<Evidence>("evidence", byItself),
    draw: (found) => [
      section(
        t("checkpoint"),
        h("p", { class: "hint" }, t("checkpointMeaning")),
        h("p", { class: "sum" }, h("strong", {}, whole(found.size)), ` ${t("logSize")}`),
        h("pre", { tabindex: 0 }, found.checkpoint),
      ),
      section(t("logKey"), h("pre", { tabindex: 0, id: "log-key" }, found.key)),
    ],
  };
}

function verifier(): HTMLElement {
  const key = h("input", { id: "key", name: "key", maxlength: 400, placeholder: "name+id+key", spellcheck: "false", autocomplete: "off" });
  // Where nobody brings a key, the hub's own is taken.
  void get<Evidence>("evidence").then((found) => (key.value ||= found.key)).catch(() => undefined);
  const outcome = h("div", { id: "verdict", role: "status", "aria-live": "polite" });
  const check = async (file: File | undefined) => {
    if (!file) return;
    try {
      if (file.size > FILE_BYTES_MAX) throw new Unproven("notAReceipt");
      outcome.replaceChildren(verdict(await verify(await file.text(), key.value)));
    } catch (error) {
      const why = error instanceof Unproven ? t(error.text) : String(error);
      outcome.replaceChildren(h("p", { class: "verdict bad" }, h("strong", {}, t("notProven")), `: ${why}`));
    }
  };
  const input = h("input", { type: "file", id: "receipt", accept: ".json,application/json", class: "unseen", change: () => void check(input.files?.[0]) });
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    zone.classList.remove("over");
    void check(event.dataTransfer?.files[0]);
  };
  const zone = h(
    "label",
    {
      class: "drop",
      for: "receipt",
      drop: dropped,
      dragover: (event: DragEvent) => (event.preventDefault(), zone.classList.add("over")),
      dragleave: () => zone.classList.remove("over"),
    },
    input,
    t("dropReceipt"),
  );
  return section(
    t("verifyReceipt"),
    h("p", { class: "hint" }, t("verifyHere")),
    h("label", { class: "control wide" }, h("span", {}, t("logKey")), key),
    zone,
    outcome,
  );
}

function verdict(proven: Proven): HTMLElement {
  const at = proven.at.toLocaleString(inUse() === "vi" ? "vi-VN" : "en-GB", { timeZone: "Asia/Ho_Chi_Minh" });
  const facts: [string, string][] = [
    [t("entryKind"), t(proven.kind)],
    [t("receivedAt"), at],
    [t("position"), `${proven.position} / ${proven.size}`],
    [t("entryContent"), proven.content],
    [t("checkpoint"), proven.origin],
  ];
  return h(
    "div",
    { class: "verdict good" },
    h("p", {}, h("strong", {}, t("proven"))),
    h("dl", { class: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, h("code", {}, value))))),
  );
}
