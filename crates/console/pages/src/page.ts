/** What a page is: what it asks the hub, and how it shows the answer. */

import type { Child } from "./dom";
import type { TextKey } from "./texts";

export interface Page<T> {
  title: TextKey;
  /** Whose page it is, where that is known with the answer. */
  name?(answer: T): string;
  /** Stands above, and stays while the rest is drawn anew. */
  controls?: HTMLElement;
  /** Asks the hub. */
  load(byItself: boolean): Promise<T>;
  /** Shows an answer. */
  draw(answer: T): Child[];
  /** Whether it is asked again when the hub has a new block. */
  isLive?: boolean;
  /** Is called with what to do when its controls change. */
  onChange?(again: () => void): void;
}

/** Where a page's address leads, after `#`. */
export function href(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** Goes to a page. */
export function go(...parts: string[]): void {
  location.hash = href(...parts);
}
