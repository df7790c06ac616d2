// A hub on a folder of its own, with the Central Highlands' traffic in it, and a browser.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const run = promisify(execFile);

/** How long something that must come may take. */
export const PATIENCE = 60_000;

const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export class Stage {
  /** Plays the demo into a new folder, makes accounts, sets targets, starts the hub on it and a browser. */
  static async set(binary, documents, accounts, targets) {
    const stage = new Stage();
    stage.binary = binary;
    stage.folder = mkdtempSync(join(tmpdir(), "lienthong-pages-"));
    stage.data = join(stage.folder, "data");
    const played = await stage.json("demo", "--documents", String(documents), "--data", stage.data);
    stage.played = played;
    // Every figure counted anew from the journal, before a hub uses the folder.
    stage.recount = await stage.json("stats", "verify", "--data", stage.data);
    const at = ["--at", "2020-11-16T20:00+07:00"];
    for (const target of targets) await stage.json("admin", "target", ...target, "--data", stage.data, ...at);
    for (const [person, password, role, territory] of accounts) {
      const file = join(stage.folder, "password");
      writeFileSync(file, `${password}\n`);
      const who = ["--role", role, "--territory", territory, "--password-file", file];
      await stage.json("account", "set", person, ...who, "--data", stage.data, ...at);
    }
    // What the commands say of the folder at rest, to be compared with the pages.
    const day = ["--from", "2020-11-16", "--until", "2020-11-17", "--data", stage.data];
    stage.report = { country: await stage.json("report", ...day), province: await stage.json("report", "--province", "H36", ...day) };
    stage.progress = await stage.json("stats", "progress", "--data", stage.data);
    stage.times = await stage.json("stats", "times", "--data", stage.data);
    stage.top = await stage.json("stats", "top", "--where", "direction=sent", "--by", "agency", "--data", stage.data);
    await stage.start();
    stage.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: CHROMIUM });
    return stage;
  }

  /** Starts the hub; it lives in the evening of the demo's day. */
  async start() {
    const config = join(this.data, "hub.toml");
    const text = readFileSync(config, "utf8").replace(/listen = .*/, 'listen = "127.0.0.1:0"').replace(/clock = .*/, 'clock = "start=2020-11-16T20:30+07:00,rate=1"');
    writeFileSync(config, text);
    const flags = ["hub", "--data", this.data, "--config", config, "--http", "127.0.0.1:0", "--output", "json", "--log", "warn"];
    this.hub = spawn(this.binary, flags, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await Promise.race([once(this.hub.stdout), exited(this.hub)]);
    const ready = JSON.parse(line);
    this.http = ready.http;
    this.address = ready.address;
  }

  /** Runs a command; its answer as JSON. */
  async json(...args) {
    const { stdout } = await run(this.binary, [...args, "--output", "json"], { maxBuffer: 64 << 20, timeout: 5 * PATIENCE });
    return JSON.parse(stdout);
  }

  /** Runs a command of an agency against the hub. */
  as(agency, ...args) {
    const folder = join(this.data, "pki", "agencies", agency);
    return this.json(...args, "--hub", this.address, "--as", folder);
  }

  /** A page in a language, that fails the test on anything a browser complains of. */
  async page({ language = "vi", width = 1280, height = 900 } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height } });
    context.setDefaultTimeout(PATIENCE);
    await context.addInitScript((chosen) => localStorage.getItem("lienthong.language") ?? localStorage.setItem("lienthong.language", chosen), language);
    const page = await context.newPage();
    page.complaints = [];
    page.on("pageerror", (error) => page.complaints.push(error.message));
    page.on("console", (message) => {
      // What is declined is expected, and shown.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text());
    });
    return page;
  }

  /** Opens a page of the hub. */
  async open(page, path) {
    await page.goto(`${this.http}/#/${path}`);
    await page.waitForSelector("main h1");
  }

  /** What the API answers in a page's session. */
  api(page, path) {
    return page.evaluate(async (path) => (await fetch(`/api/v1/${path}`)).json(), path);
  }

  /** Signs in by the form. */
  async signIn(page, person, password) {
    await page.fill('input[name="person"]', person);
    await page.fill('input[name="password"]', password);
    await page.click('button[type="submit"]');
  }

  async end() {
    await this.browser?.close();
    if (this.hub?.exitCode === null) {
      this.hub.kill("SIGTERM");
      await exited(this.hub).catch(() => undefined);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function once(stream) {
  return new Promise((resolve) => createInterface({ input: stream }).once("line", (line) => resolve([line])));
}

function exited(child) {
  return new Promise((_, reject) => child.once("exit", (code) => reject(new Error(`the hub ended with ${code}`))));
}
