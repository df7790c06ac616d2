/** Any question to the statistics, in the words of the command line. */

import { get } from "./api";
import { inUse } from "./texts";

export interface Question {
  measure: string[];
  by?: string[];
  each?: string;
  /** `dimension=value`; several of one dimension are any of them. */
  where?: string[];
  compare?: ("before" | "year-before")[];
  top?: number;
}

/** A row: its fields are named like what was asked for. */
export type Row = Record<string, string | number | null>;

export interface Sheet {
  from: string;
  until: string;
  rows: Row[];
  total: Row;
  rows_total: number;
}

/** Asks a question about a period, which is a query as `period.ts` makes it. */
export function ask(question: Question, period: string, byItself: boolean): Promise<Sheet> {
  const words: [string, string][] = [["measure", question.measure.join(",")]];
  if (question.by) words.push(["by", question.by.join(",")]);
  if (question.each) words.push(["each", question.each]);
  for (const one of question.where ?? []) words.push(["where", one]);
  if (question.compare) words.push(["compare", question.compare.join(",")]);
  if (question.top) words.push(["top", String(question.top)]);
  return get<Sheet>(`statistics?${new URLSearchParams(words)}&${period}`, byItself);
}

/** The name of a row's value, in the language in use. */
export function nameOf(row: Row, dimension: string): string {
  return String(row[`${dimension}_${inUse()}`] || row[dimension] || "");
}

/** A figure of a row; none where there is nothing to measure. */
export function figureOf(row: Row | undefined, name: string): number | null {
  const value = row?.[name];
  return typeof value === "number" ? value : null;
}
