/**
 * "Did you mean": the nearest known name to a mistyped one.
 */
import { closestMatch } from "leven";

/**
 * The candidate within a third of the word's length in edits (at least 2), or null.
 * @param word - what was typed
 * @param candidates - the names that exist
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  return closestMatch(word, candidates, { maxDistance: Math.max(2, Math.floor(word.length / 3)) }) ?? null;
}
