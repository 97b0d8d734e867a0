/**
 * Moments as stores are given them.
 */

/**
 * A moment as `toISOString` writes it, and only so: as text they sort as they follow each other.
 *
 * @throws RangeError
 */
export function parseMoment(text: string): string {
  if (new Date(text).toISOString() === text) return text;
  throw new RangeError("no moment in UTC");
}
