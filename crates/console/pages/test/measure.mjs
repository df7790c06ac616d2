// How long the pages' API takes: `node test/measure.mjs http://127.0.0.1:7480 [FROM]` asks every path
// fifty times, one after the other, of a hub without accounts, about the time since FROM (a day).
// Prints median and worst in milliseconds, and the size of the answer.

const [hub, from = "2020-01-01"] = process.argv.slice(2);
if (!hub) throw new Error("say which hub: node test/measure.mjs http://127.0.0.1:7480");
const TIMES = 50;

const [newest] = await (await fetch(`${hub}/api/v1/documents`)).json();
const since = `from=${from}`;
const TIMED = ["arrive", "accept", "finish"].flatMap((way) => ["p50", "p90", "p99"].map((part) => `${way}-${part}`)).join(",");
const PATHS = [
  "session",
  "overview",
  `provinces?${since}`,
  `provinces/H36?${since}`,
  `timeline?${since}`,
  `matrix?${since}`,
  `statistics?measure=documents&by=direction&compare=before,year-before&${since}`,
  `statistics?measure=delivered,acknowledged,accepted,refused,processed,finished,overdue&by=province&${since}`,
  `statistics?measure=${TIMED}&by=level&${since}`,
  `statistics?measure=documents&by=agency&where=direction=sent&compare=before&top=20&${since}`,
  `statistics?measure=documents&by=province,type,direction&each=day&${since}`,
  `indicators?${since}`,
  `indicators?province=H36&${since}`,
  "documents",
  "documents?q=ky%20so",
  "documents?q=nothing%20has%20this",
  `documents/${newest.sender}/${newest.id}`,
  "waiting",
  "waiting?order=most",
  `refusals?${since}`,
  "agencies",
  "agencies?q=lam%20dong",
  "certificates?days=3660",
  "evidence",
  "acts",
];

/** Milliseconds and bytes of one request. */
async function ask(path) {
  const began = performance.now();
  const response = await fetch(`${hub}/api/v1/${path}`);
  const bytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return { took: performance.now() - began, bytes };
}

const ms = (value) => value.toFixed(1).padStart(8);
console.log("   first  median   worst   KiB  path");
for (const path of PATHS) {
  const first = await ask(path);
  const all = [];
  for (let i = 0; i < TIMES; i++) all.push((await ask(path)).took);
  all.sort((a, b) => a - b);
  const size = (first.bytes / 1024).toFixed(0).padStart(6);
  console.log(`${ms(first.took)}${ms(all[TIMES / 2])}${ms(all.at(-1))}${size}  ${path}`);
}
