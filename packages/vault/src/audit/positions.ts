/**
 * Positions of the log as ranges: a million entries one after another are one of them, in memory as in an entry.
 */
import type { PositionRange } from "../stores/audit-log.ts";

/** So many that came out of order are put in order at once. */
const LOOSE = 1024;

/** A set of positions. */
export class PositionSet {
  /** In their order, and apart from each other. */
  #ranges: PositionRange[] = [];
  #loose: PositionRange[] = [];

  /** Adds positions; a range without any adds nothing. Cheapest in the order of positions. */
  add({ from, to }: PositionRange): void {
    if (from >= to) return;
    const last = this.#ranges.at(-1);
    if (last === undefined || from > last.to) this.#ranges.push({ from, to });
    else if (from >= last.from) this.#ranges[this.#ranges.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else this.#loose.push({ from, to });
    if (this.#loose.length > LOOSE + this.#ranges.length) this.#settle();
  }

  /** In their order, and apart from each other. */
  get ranges(): readonly PositionRange[] {
    this.#settle();
    return this.#ranges;
  }

  /** How many positions it has. */
  get count(): number {
    return this.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  has(position: number): boolean {
    return this.hasWithin({ from: position, to: position + 1 });
  }

  /** Whether it has one of these. */
  hasWithin({ from, to }: PositionRange): boolean {
    const { ranges } = this;
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle]?.to ?? 0) > from) high = middle;
      else low = middle + 1;
    }
    return (ranges[low]?.from ?? Infinity) < to;
  }

  /** What of it is not in another one. */
  without(other: PositionSet): readonly PositionRange[] {
    const left: PositionRange[] = [];
    const taken = other.ranges;
    let at = 0;
    for (const { from, to } of this.ranges) {
      let start = from;
      while (at < taken.length && (taken[at]?.to ?? 0) <= start) at++;
      for (let next = at; next < taken.length && (taken[next]?.from ?? 0) < to; next++) {
        const gone = taken[next] ?? { from: to, to };
        if (gone.from > start) left.push({ from: start, to: gone.from });
        start = Math.max(start, gone.to);
      }
      if (start < to) left.push({ from: start, to });
    }
    return left;
  }

  #settle(): void {
    if (this.#loose.length === 0) return;
    const all = [...this.#ranges, ...this.#loose].sort((a, b) => a.from - b.from);
    [this.#ranges, this.#loose] = [[], []];
    for (const range of all) this.add(range);
  }
}

/** As an entry tells them: `0-411,414`, first and last of each. */
export const positionsText = (ranges: readonly PositionRange[]): string =>
  ranges.map(({ from, to }) => (to === from + 1 ? `${from}` : `${from}-${to - 1}`)).join(",");

/** Ranges of such a text; none, where it is none. */
export function positionsOf(text: unknown): readonly PositionRange[] {
  if (typeof text !== "string" || !/^\d{1,15}(-\d{1,15})?(,\d{1,15}(-\d{1,15})?)*$/.test(text)) return [];
  return text.split(",").map((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return { from: first ?? 0, to: (last ?? 0) + 1 };
  });
}
