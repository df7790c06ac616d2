/** Asking the hub. */

import type { RefusalBody, Session } from "./types";

/** A refusal of the hub, or that it cannot be reached. */
export class Declined extends Error {
  constructor(
    readonly status: number,
    readonly body: RefusalBody["error"] | null,
  ) {
    super(body?.code ?? `HTTP ${status}`);
  }
}

let token: string | null = null;

/** Reads an answer. `byItself`: nobody asked for it, so it does not keep a session alive. */
export function get<T>(path: string, byItself = false): Promise<T> {
  return asked<T>("GET", path, undefined, byItself ? { "x-by-itself": "1" } : {});
}

/** Changes something. */
export function change<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  return asked<T>(method, path, body, token === null ? {} : { "x-csrf-token": token });
}

/** Who is signed in; keeps the token that changes need. */
export async function session(): Promise<Session> {
  const found = await get<Session>("session");
  token = found.token;
  return found;
}

async function asked<T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<T> {
  const options: RequestInit = { method, headers: { ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...headers, "content-type": "application/json" };
  }
  const response = await fetch(`/api/v1/${path}`, options);
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Declined(response.status, (answer as RefusalBody | null)?.error ?? null);
  return answer as T;
}

/** The shapes of the map; they never change while the page is open. */
export const shapes = (() => {
  let kept: Promise<unknown> | undefined;
  return <T>(): Promise<T> => (kept ??= fetch("/assets/map.json").then((response) => response.json())) as Promise<T>;
})();
