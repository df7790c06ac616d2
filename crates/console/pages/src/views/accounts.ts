import { change, get } from "../api";
import { h, section, table, type Child } from "../dom";
import type { Page } from "../page";
import { t, type TextKey } from "../texts";
import type { Account, Role, Session, Territory } from "../types";
import { refusal } from "./refusal";

export const ROLES: Record<Role, TextKey> = { viewer: "roleViewer", operator: "roleOperator", administrator: "roleAdministrator" };

/** A territory as people read it. */
export function territoryText(territory: Territory): string {
  return territory.kind === "country" ? t("wholeCountry") : (territory.code ?? "");
}

/** Accounts and appointments, for administrators. */
export function accounts(): Page<Account[]> {
  let again = () => {};
  const outcome = h("div", { role: "status", "aria-live": "polite" });
  return {
    title: "accounts",
    controls: h("div", {}, editor(() => again()), outcome),
    onChange: (call) => (again = call),
    load: () => get<Account[]>("accounts"),
    draw(found) {
      const rows = found.map((one) => [
        h("code", {}, one.person),
        one.password ? t("yes") : t("no"),
        h(
          "ul",
          { class: "plain" },
          ...one.appointments.map((held) =>
            h("li", { class: held.in_force ? undefined : "dim" }, `${t(ROLES[held.role])}, ${territoryText(held.territory)}`, held.in_force ? "" : ` (${t("ended")})`),
          ),
        ),
        one.password ? h("button", { type: "button", class: "quiet", click: () => void remove(one.person, outcome, again) }, t("remove")) : "",
      ]);
      return [section(t("accounts"), table(t("accounts"), [t("person"), t("hasPassword"), t("role"), ""], rows))];
    },
  };
}

async function remove(person: string, outcome: HTMLElement, again: () => void): Promise<void> {
  if (!confirm(`${t("removeSure")} ${person}`)) return;
  outcome.replaceChildren();
  try {
    await change("DELETE", `accounts?person=${encodeURIComponent(person)}`);
  } catch (error) {
    outcome.replaceChildren(refusal(error));
  }
  again();
}

function editor(saved: () => void): HTMLElement {
  const person = h("input", { name: "person", required: true, maxlength: 110, autocomplete: "off", placeholder: t("personHint") });
  const password = h("input", { name: "password", type: "password", required: true, minlength: 12, maxlength: 256, autocomplete: "new-password", placeholder: t("passwordHint") });
  const role = h("select", { name: "role" }, h("option", { value: "" }, t("noRole")), ...Object.entries(ROLES).map(([name, text]) => h("option", { value: name }, t(text))));
  const kinds: [string, TextKey][] = [["country", "wholeCountry"], ["province", "oneProvince"], ["agency", "oneAgency"]];
  const kind = h("select", { name: "kind" }, ...kinds.map(([name, text]) => h("option", { value: name }, t(text))));
  const code = h("input", { name: "code", maxlength: 35, placeholder: t("territoryCode") });
  const send = async () => {
    const territory = role.value ? { kind: kind.value, code: code.value.trim() || null } : null;
    await change("PUT", "accounts", { person: person.value.trim(), password: password.value, role: role.value || null, territory });
    password.value = "";
    saved();
  };
  return h(
    "details",
    { class: "editor" },
    h("summary", {}, t("setAccount")),
    form(
      [
        [t("person"), person],
        [t("newPassword"), password],
        [t("role"), role],
        [t("territory"), h("span", { class: "pair" }, kind, code)],
      ],
      t("save"),
      send,
    ),
  );
}

/** A form that says what came of it. */
export function form(fields: [string, HTMLElement][], submit: string, send: () => Promise<void>): HTMLElement {
  const outcome = h("div", { role: "status", "aria-live": "polite" });
  const button = h("button", { type: "submit" }, submit);
  const sent = async (event: Event) => {
    event.preventDefault();
    button.disabled = true;
    outcome.replaceChildren();
    try {
      await send();
      outcome.replaceChildren(h("p", { class: "good" }, t("saved")));
    } catch (error) {
      outcome.replaceChildren(refusal(error));
    } finally {
      button.disabled = false;
    }
  };
  const labels: Child[] = fields.map(([name, field]) => h("label", {}, h("span", {}, name), field));
  return h("form", { class: "fields", submit: sent }, ...labels, h("div", {}, button), outcome);
}

/** Signing in. */
export function signIn(session: Session, entered: () => void): HTMLElement {
  const person = h("input", { name: "person", required: true, maxlength: 110, autocomplete: "username", placeholder: t("personHint"), autofocus: true });
  const password = h("input", { name: "password", type: "password", required: true, maxlength: 256, autocomplete: "current-password" });
  const send = async () => {
    await change("POST", "session", { person: person.value.trim(), password: password.value });
    entered();
  };
  const byCertificate = async () => {
    await change("POST", "session/certificate");
    entered();
  };
  return h(
    "section",
    { class: "sign-in" },
    h("h1", {}, t("signIn")),
    form([[t("person"), person], [t("password"), password]], t("signIn"), send),
    session.certificate ? form([], `${t("signInCertificate")} ${session.certificate}`, byCertificate) : null,
  );
}

/** The visitor's own password; all sessions end with it. */
export function ownPassword(changed: () => void): Page<null> {
  return {
    title: "ownPassword",
    load: async () => null,
    draw() {
      const password = h("input", { type: "password", required: true, maxlength: 256, autocomplete: "current-password" });
      const fresh = h("input", { type: "password", required: true, minlength: 12, maxlength: 256, autocomplete: "new-password", placeholder: t("passwordHint") });
      const send = async () => {
        await change("POST", "session/password", { password: password.value, new: fresh.value });
        changed();
      };
      return [section(t("ownPassword"), form([[t("password"), password], [t("newPassword"), fresh]], t("save"), send))];
    },
  };
}
