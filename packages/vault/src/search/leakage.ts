/**
 * What the tags of an index tell whoever has the database: how often each value comes. Who knows besides how often each
 * comes in the population names the most frequent tag by the most frequent value, and so on down; the share of records
 * that are named so is what is told here, for somebody who knows the population exactly.
 */
import type { TagFrequency } from "../stores/indexes.ts";

/** What an index tells. */
export interface IndexLeakage {
  readonly collection: string;
  readonly index: string;
  readonly fields: readonly string[];
  /** Tags of records, and how many different ones there are. */
  readonly tags: number;
  readonly values: number;
  /** 0 to 1: the share of the tags whose value is named by its rank. Tags that come equally often are guessed among. */
  readonly named: number;
  /** The same of somebody who guesses without having seen how often each comes. */
  readonly guessed: number;
  /** Whether that was accepted where the index is declared. */
  readonly isAccepted: boolean;
  /** More is told than an index tells that nobody had to accept. */
  readonly isTooMuch: boolean;
}

/** So much is told by an index whose leaking nobody had to accept, at most; and of fewer tags nothing can be said. */
const MOST_NAMED = 0.01;
const LEAST_TAGS = 1_000;

/**
 * How much the frequencies of an index tell.
 *
 * @example
 * ```ts
 * import { leakageOf } from "@strongroom/vault";
 *
 * // 9 records of one value, and one of another: whoever knows the population names all of them.
 * const told = leakageOf([
 *   { records: 1, tags: 1 },
 *   { records: 9, tags: 1 },
 * ]);
 * console.log(told.values, told.named, told.guessed); // prints: 2 1 0.5
 * ```
 */
export function leakageOf(
  frequencies: readonly TagFrequency[],
): Pick<IndexLeakage, "tags" | "values" | "named" | "guessed"> {
  let [tags, values, named] = [0, 0, 0];
  for (const { records, tags: count } of frequencies) {
    tags += records * count;
    values += count;
    // Of so many values that come equally often each is guessed rightly once in as many tries.
    named += records;
  }
  return { tags, values, named: tags === 0 ? 0 : named / tags, guessed: values === 0 ? 0 : 1 / values };
}

/**
 * Whether more is told than was accepted.
 *
 * @example
 * ```ts
 * import { isTooMuch } from "@strongroom/vault";
 *
 * console.log(isTooMuch({ tags: 5_000, named: 0.5 }, false)); // prints: true
 * ```
 */
export const isTooMuch = ({ tags, named }: Pick<IndexLeakage, "tags" | "named">, isAccepted: boolean): boolean =>
  !isAccepted && tags >= LEAST_TAGS && named > MOST_NAMED;
