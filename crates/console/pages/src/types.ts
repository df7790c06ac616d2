/** What the hub's JSON API answers. */

import type { Words } from "./texts";

export interface Named {
  code: string;
  name: string;
}

export interface Territory {
  kind: "country" | "province" | "agency";
  code: string | null;
}

export interface Session {
  accounts: boolean;
  admitted: boolean;
  person: string | null;
  appointments: { role: Role; territory: Territory }[];
  token: string | null;
  clock: { now: string; scenario: boolean; rate: number };
  version: string;
  certificate: string | null;
}

export type Role = "viewer" | "operator" | "administrator";

export interface Counts {
  sent: number;
  received: number;
  personally_signed: number;
  /** None for whoever sees single agencies only. */
  refused: number | null;
}

export interface Overview {
  now: string;
  block: number;
  log_size: number;
  today: Counts;
  yesterday: Counts;
  undelivered: { documents: number; agencies: number; oldest: string | null };
  agencies: { all: number; connected: number; held: number; suspended: number };
  health: { state: string; space: "enough" | "low" | "none"; connections: number; lists_late: number };
}

export interface PlaceRow extends Counts {
  province: Named | null;
  undelivered: number;
  oldest: string | null;
  agencies: number;
  connected: number;
  levels: Record<string, { sent: number; received: number; personally_signed: number }>;
}

export interface Provinces {
  from: string;
  until: string;
  places: PlaceRow[];
  totals: Counts;
}

export interface Timeline {
  from: string;
  until: string;
  by: "hour" | "day";
  steps: { from: string; deliveries: number }[];
}

export interface Matrix {
  levels: { from: string; to: string; deliveries: number }[];
  provinces: { from: Named | null; to: Named | null; deliveries: number }[];
  agencies: { from: Named; to: Named; deliveries: number }[];
  partial: boolean;
}

export interface CountedRefusal {
  code: string;
  count: number;
  meaning: Words;
  remedy: Words;
}

export interface Refusals {
  total: number;
  reasons: (CountedRefusal & {
    examples: { at: string; caller: Named; id: string; violations: { field: string; value: string }[] }[];
  })[];
  partial: boolean;
}

export interface Mailbox {
  agency: Named;
  documents: number;
  oldest: { sender: string; id: string };
  subject: string;
  since: string;
  cause: string | null;
  why: Words | null;
  remedy: Words | null;
  actor: Named | null;
}

export interface Waiting {
  mailboxes: Mailbox[];
  total: number;
  documents: number;
}

export interface Province extends PlaceRow {
  from: string;
  until: string;
  refusals: CountedRefusal[];
  waiting: Mailbox[];
}

export interface Listed {
  sender: string;
  id: string;
  sender_name: string;
  reference: string;
  subject: string;
  received_at: string;
  urgency: string;
  recipients: number;
}

export interface Told extends Listed {
  position: number;
  signed_at: string;
  due: string | null;
  signature: "none" | "seal" | "personal" | "personal-and-seal";
  sha256: string;
  progress: Record<string, number> | null;
  deliveries: { recipient: Named; stage: string; acknowledged_at: string | null; attempts: number }[];
  /** How many recipients may be seen, listed or not. */
  deliveries_total: number;
  /** How many of them events and waits are of. */
  explained: number;
  events: { at: string; kind: string; recipient: Named | null; what: Words; why: Words }[];
  events_left_out: number;
  waits: {
    recipient: Named | null;
    since: string;
    cause: string;
    why: Words;
    remedy: Words;
    actor: Named | null;
    overdue: boolean;
  }[];
}

export interface Agencies {
  agencies: {
    code: string;
    name: string;
    level: string;
    province: string | null;
    state: "connected" | "held" | "suspended";
    gateway: string | null;
    connections: number;
    undelivered: number;
  }[];
  total: number;
}

export interface Certificates {
  days: number;
  expiring: { agency: Named | null; kind: string; name: string; until: string; expired: boolean }[];
  total: number;
  next: number | null;
  in_use: number;
  lists: { issuer: string; number: string; this_update: string; next_update: string | null; late: boolean; revoked: number }[];
}

export type TargetState = "met" | "on-course" | "late";

/** What an indicator is reckoned from. */
export interface Basis {
  numerator: number;
  denominator: number;
  value: number | null;
}

export interface IndicatorFigure {
  indicator: string;
  name: Words;
  unit: "per-mille" | "count" | "dong";
  share: Basis;
  before: Basis;
  targets: { value: number | null; by: string; state: TargetState; holders: (Named & { share: Basis })[] }[];
}

export interface PlaceIndicators {
  code: string;
  name: string;
  level: string | null;
  figures: IndicatorFigure[];
}

export interface IndicatorReport {
  from: string;
  until: string;
  province: Named | null;
  made_at: string;
  page_price: number;
  places: PlaceIndicators[];
}

export interface Evidence {
  size: number;
  checkpoint: string;
  key: string;
}

export interface Act {
  at: string;
  block: number;
  by: string | null;
  role: Role | null;
  kind: string;
  what: Words;
}

export interface Account {
  person: string;
  password: boolean;
  appointments: { role: Role; territory: Territory; from: string; until: string | null; in_force: boolean }[];
}

export interface MapShapes {
  viewBox: string;
  shapes: { code: string; name: string; region: string; islands?: "hoangsa" | "truongsa"; path: string }[];
}

export interface RefusalBody {
  error: {
    code: string;
    meaning: Words;
    remedy: Words;
    violations: { code: string; field: string; value: string }[];
    retry_after_ms: number | null;
  };
}
