// The operators' pages in a browser, against a hub with the Central Highlands' traffic in it:
// `LIENTHONG=path/to/lienthong node --test test/` (needs Chromium).

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { PATIENCE, Stage } from "./stage.mjs";

const PASSWORD = "một mật khẩu thật dài";
const ACCOUNTS = [
  ["G22/quan-tri", PASSWORD, "administrator", "country"],
  ["H36/van-hanh", PASSWORD, "viewer", "province:H36"],
  ["H36/mot-cua", PASSWORD, "viewer", "agency:H36"],
];
/** One that is met, one that is late, one of a level. */
const TARGETS = [
  ["personal-signature", "--value", "100", "--by", "2020-11-30"],
  ["electronic-inside", "--province", "H36", "--value", "1", "--by", "2020-11-30"],
  ["personal-signature", "--province", "H36", "--level", "commune", "--value", "1", "--by", "2020-11-30"],
];
const PAGES = ["overview", "indicators", "indicators/H36", "map", "timeline", "handling", "matrix", "top", "provinces/H36", "documents", "waiting", "refusals", "agencies", "certificates", "evidence", "acts"];

/** @type {Stage} */
let stage;
/** Signed in as the country's administrator. */
let country;

before(async () => {
  const binary = process.env.LIENTHONG;
  assert.ok(binary, "say which binary: LIENTHONG=target/release/lienthong");
  stage = await Stage.set(binary, 1_000, ACCOUNTS, TARGETS);
  country = await stage.page();
  await stage.open(country, "");
  await stage.signIn(country, "G22/quan-tri", PASSWORD);
  await country.waitForSelector("#figures strong");
});

after(() => stage?.end());

/** A figure on a page, without its separators. */
async function figure(page, selector) {
  return Number((await page.textContent(selector)).replace(/\D/g, ""));
}

/** Waits until something holds; it is asked for again and again. */
async function until(what, holds) {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("figures on the pages are those of the API, of the clients’ own count and of a recount of the journal", async () => {
  const { totals, refused } = stage.played;
  const declined = Object.values(refused).reduce((sum, one) => sum + one, 0);
  await stage.open(country, "overview");
  await until("the figures", async () => (await country.locator("#sent-today").count()) === 1);
  const overview = await stage.api(country, "overview");
  assert.equal(await figure(country, "#sent-today"), totals.sent);
  assert.equal(await figure(country, "#received-today"), totals.received);
  assert.equal(await figure(country, "#refused-today"), declined);
  assert.deepEqual([overview.today.sent, overview.today.received, overview.today.refused], [totals.sent, totals.received, declined]);

  await stage.open(country, "map");
  await country.waitForSelector("#total-sent");
  assert.equal(await figure(country, "#total-sent"), totals.sent);
  assert.equal(await figure(country, "#total-received"), totals.received);
  const rows = await country.locator(".tall tbody tr").allTextContents();
  for (const { name, sent, received } of stage.played.provinces) {
    const row = rows.find((text) => text.startsWith(name));
    assert.ok(row?.includes(String(sent)) && row.includes(received.toLocaleString("vi-VN")), `${name}: ${row}`);
  }
  await stage.open(country, "refusals");
  assert.equal(await figure(country, "#refused-total"), declined);
  assert.equal(stage.recount.differences_total, 0);
  assert.ok(stage.recount.cells > 0);
  assert.deepEqual(country.complaints, []);
});

test("indicators and targets are those of the report, of the country and of a province", async () => {
  const of = (report) => report.places.flatMap((place) => place.figures.map((one) => [place.code, place.level, one.indicator, one.share, one.targets.map(({ by, state }) => [by, state])]));
  for (const [path, query, report] of [["indicators", "", stage.report.country], ["indicators/H36", "&province=H36", stage.report.province]]) {
    await stage.open(country, path);
    await country.waitForSelector("#target-states");
    const answer = await stage.api(country, `indicators?from=2020-11-16${query}`);
    assert.deepEqual(of(answer), of(report));
    const states = report.places.flatMap((place) => place.figures.flatMap((one) => one.targets.map((target) => target.state)));
    assert.ok(states.length > 0);
    for (const state of ["met", "on-course", "late"]) {
      assert.equal(await figure(country, `#target-${state}`), states.filter((one) => one === state).length, state);
    }
    const first = report.places[0].figures.find((one) => one.indicator === "personal-signature");
    const row = await country.textContent("#indicator-figures tbody tr:first-child");
    assert.ok(row.includes(`${first.share.numerator.toLocaleString("vi-VN")}/${first.share.denominator.toLocaleString("vi-VN")}`), row);
  }
  const late = stage.report.country.places[0].figures.flatMap((one) => one.targets).find((one) => one.state === "late");
  await stage.open(country, "indicators");
  await country.waitForSelector("#target-states");
  const shown = await country.textContent(".part table tbody");
  assert.ok(late.holders.length > 0);
  for (const holder of late.holders) assert.ok(shown.includes(holder.name.replace(/^Ủy ban nhân dân (tỉnh|thành phố) /, "")), `${holder.name} in ${shown}`);
  await stage.open(country, "indicators/H36");
  await country.waitForFunction(() => document.querySelector("h1")?.textContent.includes("Lâm Đồng"));
  assert.deepEqual(country.complaints, []);
});

test("handling, times and top senders are those of the command line, and add up", async () => {
  await stage.open(country, "handling");
  await country.waitForSelector("#progress");
  const { total } = stage.progress;
  const cells = await country.locator("#progress tbody tr:first-child td").allTextContents();
  const numbers = ["delivered", "acknowledged", "accepted", "refused"].map((name) => total[name].toLocaleString("vi-VN"));
  numbers.forEach((number, i) => assert.ok(cells[i + 1].startsWith(number), `${number} in ${cells}`));
  assert.equal(total.delivered, stage.played.totals.received);
  const answer = await stage.api(country, "statistics?measure=delivered,accepted&by=province");
  const sum = (name) => answer.rows.reduce((all, row) => all + row[name], 0);
  assert.deepEqual([sum("delivered"), sum("accepted")], [total.delivered, total.accepted]);
  const times = await stage.api(country, "statistics?measure=arrive-p50,arrive-p90,accept-p50,accept-p90,finish-p50,finish-p90&by=level");
  assert.deepEqual(times.rows, stage.times.rows);

  await stage.open(country, "top");
  await country.waitForSelector("#top-sent");
  const shown = await country.locator("#top-sent tbody tr").evaluateAll((rows) => rows.map((row) => [row.querySelector("code").textContent, row.children[1].textContent]));
  assert.deepEqual(shown, stage.top.rows.map((row) => [row.agency, row.documents.toLocaleString("vi-VN")]));
});

test("figures stand beside those of the period before and of a year before", async () => {
  await stage.open(country, "overview");
  await country.waitForSelector("#compared");
  const { totals } = stage.played;
  const rows = await country.locator("#compared tbody tr").evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  assert.equal(rows.length, 3);
  for (const row of rows) {
    assert.deepEqual([row[1], row[4]], [totals.sent.toLocaleString("vi-VN"), totals.received.toLocaleString("vi-VN")]);
    // Nothing was sent before: no basis for a comparison.
    assert.deepEqual([row[2], row[3]], ["0 (–)", "0 (–)"]);
  }
});

test("whoever sees one agency sees its own exchange and no indicators", async () => {
  const page = await stage.page();
  await stage.open(page, "matrix");
  await stage.signIn(page, "H36/mot-cua", PASSWORD);
  await page.waitForSelector("td .agency");
  const rows = await page.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("code")].map((one) => one.textContent)));
  assert.ok(rows.length > 0 && rows.every((codes) => codes.includes("H36")), JSON.stringify(rows));
  assert.equal(await page.locator('nav a[href="#/indicators"], nav a[href="#/acts"]').count(), 0);
  await stage.open(page, "handling");
  await page.waitForSelector("#progress");
  assert.deepEqual(await page.locator("#progress tbody code").allTextContents(), ["H36"]);
  for (const path of ["overview", "map", "timeline", "top", "provinces/H36", "documents", "waiting", "refusals", "agencies", "certificates", "evidence"]) {
    await stage.open(page, path);
    await page.waitForFunction(() => document.querySelector(".body > :not(.hint)") !== null);
    assert.equal(await page.locator(".refusal").count(), 0, path);
  }
  await stage.open(page, "indicators/H36");
  await page.waitForSelector(".refusal");
  assert.match(await page.textContent(".refusal"), /CALLER_NOT_ENTITLED/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the map has every province, Hoàng Sa and Trường Sa", async () => {
  await stage.open(country, "map");
  await country.waitForSelector("svg.country");
  assert.equal(await country.locator("svg.country path").count(), 65);
  const islands = await country.locator("svg.country path.islands title").allTextContents();
  assert.ok(islands.some((text) => text.startsWith("Quần đảo Hoàng Sa (Đà Nẵng)")), islands.join());
  assert.ok(islands.some((text) => text.startsWith("Quần đảo Trường Sa (Khánh Hòa)")), islands.join());
});

test("every page reads in both languages and fits a narrow screen", async () => {
  const context = country.context();
  const page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 780 });
  const headings = { vi: [], en: [] };
  for (const language of ["vi", "en"]) {
    for (const path of PAGES) {
      await stage.open(page, path);
      await page.waitForFunction(() => document.querySelector(".body > *") !== null);
      assert.equal(await page.getAttribute("html", "lang"), language);
      // The name of a province is the same in both.
      headings[language].push((await page.locator("main h1, main h2").allTextContents()).join());
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${path} is ${wider} wider than the screen`);
    }
    await page.click("#language");
    await page.waitForFunction((before) => document.documentElement.lang !== before, language);
  }
  headings.vi.forEach((heading, i) => assert.notEqual(heading, headings.en[i]));
  await page.close();
});

test("the pages are used by keyboard alone", async () => {
  const page = await country.context().newPage();
  await stage.open(page, "overview");
  await page.waitForSelector("svg.country path[tabindex]");
  await page.evaluate(() => document.body.focus());
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.getAttribute("data-focus"));
    if (focused === "map H36") break;
  }
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash === "#/provinces/H36");
  await page.waitForFunction(() => document.querySelector("h1")?.textContent === "Lâm Đồng");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  // On a narrow screen the contents close around the link that was followed.
  await page.setViewportSize({ width: 360, height: 780 });
  await page.waitForSelector("details.menu:not([open])");
  await page.focus("details.menu summary");
  await page.keyboard.press("Enter");
  await page.focus('nav a[href="#/waiting"]');
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.hash === "#/waiting" && document.activeElement?.tagName === "H1");
  assert.equal(await page.locator("details.menu[open]").count(), 0);
  await page.close();
});

test("a list that is cut says of how many it is", async () => {
  const page = await country.context().newPage();
  const total = 12_466;
  const answered = (path, more) =>
    page.route(path, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), ...more } });
    });
  const document = (await stage.api(country, "documents")).find((one) => one.recipients < 100);
  const path = `documents/${encodeURIComponent(document.sender)}/${encodeURIComponent(document.id)}`;
  const told = await stage.api(country, path);
  assert.equal(told.deliveries_total, told.deliveries.length);
  await answered(/\/api\/v1\/documents\//, { deliveries_total: total, explained: 100 });
  await stage.open(page, path);
  await page.waitForSelector(".history");
  const hints = await page.locator(".part > .hint").allTextContents();
  for (const shown of [100, told.deliveries.length]) {
    assert.ok(hints.includes(`Nơi nhận: ${shown} hiển thị trong tổng số 12.466`), `${shown} in ${hints}`);
  }
  const { mailboxes } = await stage.api(country, "waiting");
  await answered(/\/api\/v1\/waiting/, { total });
  await stage.open(page, "waiting");
  await page.waitForSelector(`.hint:has-text("${mailboxes.length} hiển thị trong tổng số 12.466")`);
  // Of more than fifty only the newest fifty are found.
  assert.equal((await stage.api(country, "documents?q=a")).length, 50);
  await stage.open(page, "documents/a");
  await page.waitForSelector('h2:has-text("Kết quả: 50+")');
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.close();
});

test("an answer that comes late is not drawn in place of a newer one", async () => {
  const page = await country.context().newPage();
  await stage.open(page, "timeline");
  await page.waitForSelector("svg.bars");
  let ask, release;
  const asked = new Promise((resolve) => (ask = resolve));
  const released = new Promise((resolve) => (release = resolve));
  const hold = async (route) => {
    ask(route.request());
    await released;
    await route.continue();
  };
  await page.route(/\/api\/v1\/timeline/, hold, { times: 1 });
  await page.selectOption("#period", "month");
  const late = await asked;
  await page.selectOption("#period", "week");
  await page.waitForFunction(() => document.querySelectorAll("svg.bars .bar").length === 7);
  release();
  await (await late.response()).finished();
  // An answer that is asked for after it has come after it, too.
  await stage.api(page, "overview");
  assert.equal(await page.locator("svg.bars .bar").count(), 7);
  assert.match(await page.textContent("#compared tbody tr"), /^7 ngày/);
  await page.close();
});

test("times by province are named so, for those who hear the page too", async () => {
  await stage.open(country, "handling");
  await country.waitForSelector(".times");
  assert.deepEqual(await country.locator(".times caption").allTextContents(), ["Thời gian theo cấp", "Thời gian theo địa phương"]);
});

test("whoever has not signed in sees nothing, and a wrong password is declined with a word", async () => {
  const page = await stage.page({ language: "en" });
  await stage.open(page, "map");
  await page.waitForSelector(".sign-in");
  assert.equal(await page.locator("nav").count(), 0);
  await stage.signIn(page, "G22/quan-tri", "not the password");
  await page.waitForSelector(".refusal");
  assert.match(await page.textContent(".refusal"), /SIGN_IN_FAILED/);
  assert.equal(await page.locator(".figure").count(), 0);
  await page.context().close();
});

test("signing in by a certificate that is not accepted is declined with a word", async () => {
  const page = await stage.page();
  await page.route(/\/api\/v1\/session$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), certificate: "G22/binh.tran" } });
  });
  await stage.open(page, "overview");
  await page.click('button:has-text("G22/binh.tran")');
  await page.waitForSelector(".refusal");
  assert.match(await page.textContent(".refusal"), /SIGN_IN_FAILED/);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a province's viewer sees the province and nothing else, and administers nothing", async () => {
  const page = await stage.page();
  await stage.open(page, "map");
  await stage.signIn(page, "H36/van-hanh", PASSWORD);
  await page.waitForSelector("#total-sent");
  const own = stage.played.provinces.find((one) => one.code === "H36");
  assert.equal(await figure(page, "#total-sent"), own.sent);
  assert.equal(await figure(page, "#total-received"), own.received);
  assert.equal(await page.locator("svg.country path[tabindex]").count(), 1);
  assert.equal(await page.locator('nav a[href="#/accounts"], nav a[href="#/acts"]').count(), 0);
  await stage.open(page, "provinces/H34");
  await page.waitForSelector(".refusal");
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((one) => [one.httpOnly, one.sameSite]), [[true, "Strict"]]);
  assert.equal(await page.evaluate(() => document.cookie), "");
  await page.click("#sign-out");
  await page.waitForSelector(".sign-in");
  assert.equal(await page.evaluate(async () => (await fetch("/api/v1/overview")).status), 401);
  await page.context().close();
});

test("an administrator makes an account, and the acts say who did it", async () => {
  await stage.open(country, "accounts");
  await country.click(".editor summary");
  await country.fill('.editor input[name="person"]', "H34/moi");
  await country.fill('.editor input[name="password"]', PASSWORD);
  await country.selectOption('.editor select[name="role"]', "viewer");
  await country.selectOption('.editor select[name="kind"]', "province");
  await country.fill('.editor input[name="code"]', "H34");
  await country.click('.editor button[type="submit"]');
  await country.waitForSelector("td:has-text('H34/moi')");
  await stage.open(country, "acts");
  await country.waitForSelector("tr:has-text('H34/moi'):has-text('G22/quan-tri')");
  const page = await stage.page();
  await stage.open(page, "");
  await stage.signIn(page, "H34/moi", PASSWORD);
  await page.waitForSelector("#figures strong");
  await page.context().close();
});

test("an account that may not be removed stays, and the refusal is shown", async () => {
  const page = await country.context().newPage();
  const words = { vi: "không được", en: "may not" };
  const error = { code: "CALLER_NOT_ENTITLED", meaning: words, remedy: words, violations: [], retry_after_ms: null };
  await page.route(/\/api\/v1\/accounts\?person=/, (route) => route.fulfill({ status: 403, json: { error } }));
  page.on("dialog", (dialog) => dialog.accept());
  await stage.open(page, "accounts");
  await page.click('tr:has-text("H34/moi") button');
  await page.waitForSelector(".refusal");
  assert.match(await page.textContent(".refusal"), /CALLER_NOT_ENTITLED/);
  assert.equal(await page.locator("td:has-text('H34/moi')").count(), 1);
  await page.close();
});

test("a document is followed from being sent to being finished, without reloading", async () => {
  await stage.open(country, "overview");
  await until("the figures", async () => (await country.locator("#sent-today").count()) === 1);
  const before = await figure(country, "#sent-today");
  const subject = "Triển khai chữ ký số đến cấp xã";
  const receipt = join(stage.folder, "receipt.json");
  const sent = await stage.as("H36", "send", "--to", "H34", "--subject", subject, "--evidence", receipt);
  await until("the document on the first page", async () => (await figure(country, "#sent-today")) === before + 1);

  await stage.open(country, "documents");
  await country.fill("#document-search", "chu ky so den cap xa");
  await country.press("#document-search", "Enter");
  await country.click(`a:has-text("${subject}")`);
  await country.waitForSelector(".waits li");
  assert.match(await country.textContent(".waits"), /Kon Tum/);
  assert.equal(await country.locator(".stage-waiting").count() > 0, true);

  const inbox = join(stage.folder, "inbox");
  await stage.as("H34", "inbox", "--save", inbox, "--report", "01,03,04");
  await country.waitForSelector("table .stage-accepted");
  const id = (await country.evaluate(() => location.hash)).split("/").at(-1);
  await stage.as("H34", "inbox", "report", "--sender", "H36", "--id", id, "--status", "06");
  await country.waitForSelector("table .stage-finished");
  assert.equal(await country.locator(".waits").count(), 0);
  const kinds = await country.locator(".history li").evaluateAll((all) => all.map((one) => one.className));
  for (const kind of ["event-signed", "event-accepted", "event-queued", "event-delivered", "event-reported"]) {
    assert.ok(kinds.includes(kind), `${kind} in ${kinds}`);
  }
  assert.ok(sent);

  await stage.open(country, "evidence");
  await country.waitForFunction(() => document.querySelector("#key")?.value !== "");
  await country.setInputFiles("#receipt", receipt);
  await country.waitForSelector(".verdict.good");
  const forged = join(stage.folder, "forged.json");
  const told = JSON.parse(readFileSync(receipt, "utf8"));
  writeFileSync(forged, JSON.stringify({ ...told, entry: told.entry.replace(/.$/, (last) => (last === "0" ? "1" : "0")) }));
  await country.setInputFiles("#receipt", forged);
  await country.waitForSelector(".verdict.bad");
  assert.deepEqual(country.complaints, []);
});
