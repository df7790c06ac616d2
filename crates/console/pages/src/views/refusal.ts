import { Declined } from "../api";
import { h } from "../dom";
import { said, t } from "../texts";

/** Says why something was declined, and what to do; of any other error, that it failed. */
export function refusal(error: unknown): HTMLElement {
  const body = error instanceof Declined ? error.body : null;
  if (!body) return h("div", { class: "refusal", role: "alert" }, h("p", {}, t("failed")));
  const where = body.violations.filter((one) => one.field || one.value).map((one) => `${one.field} ${one.value}`.trim());
  return h(
    "div",
    { class: "refusal", role: "alert" },
    h("p", {}, said(body.meaning), " ", h("code", {}, body.code)),
    where.length > 0 ? h("p", {}, h("code", {}, where.join("; "))) : null,
    h("p", { class: "remedy" }, `${t("remedy")}: ${said(body.remedy)}`, body.retry_after_ms ? ` (${Math.ceil(body.retry_after_ms / 1000)} s)` : ""),
  );
}
