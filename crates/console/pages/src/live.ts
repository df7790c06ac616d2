/** The first page's figures as they change, and the rate that follows from them. */

import type { Overview } from "./types";

/** Over how long the rate is taken, in milliseconds of this machine. */
const WINDOW = 10_000;
const RETRY = 3_000;

type Heard = (overview: Overview, rate: number | null) => void;

let source: EventSource | undefined;
let samples: { at: number; day: string; sent: number }[] = [];
let last: Overview | undefined;
let listeners: Heard[] = [];
let onState: (alive: boolean) => void = () => {};

/** Begins to listen; `state` is told whether the hub is heard. */
export function listen(state: (alive: boolean) => void): void {
  onState = state;
  stop();
  const opened = new EventSource("/api/v1/live");
  source = opened;
  opened.addEventListener("open", () => onState(true));
  opened.addEventListener("overview", (event) => heard(JSON.parse((event as MessageEvent<string>).data) as Overview));
  opened.addEventListener("error", () => {
    onState(false);
    // A refusal closes it for good: asking goes on, more slowly.
    if (opened.readyState === EventSource.CLOSED && source === opened) setTimeout(() => source === opened && listen(onState), RETRY);
  });
}

/** Ends it. */
export function stop(): void {
  source?.close();
  source = undefined;
  samples = [];
  last = undefined;
}

/** Is called with every event from now on, and at once with the last one. */
export function onOverview(listener: Heard): () => void {
  listeners = [...listeners, listener];
  if (last) listener(last, rate());
  return () => {
    listeners = listeners.filter((one) => one !== listener);
  };
}

function heard(overview: Overview): void {
  last = overview;
  const now = performance.now();
  const day = overview.now.slice(0, 10);
  // Another day begins from nothing.
  samples = samples.filter((one) => now - one.at <= WINDOW && one.day === day);
  samples.push({ at: now, day, sent: overview.today.sent });
  for (const listener of listeners) listener(overview, rate());
}

/** Documents a second of machine time; none before there are two samples. */
function rate(): number | null {
  const [first, end] = [samples[0], samples.at(-1)];
  if (!first || !end || end.at - first.at < 500) return null;
  return (end.sent - first.sent) / ((end.at - first.at) / 1000);
}
