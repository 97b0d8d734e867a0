/**
 * Days, written with the year first. What can be read in two ways (01/02/2026) is found as it is written.
 */
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

/** `1815-12-10`, `1815/12/10`, `1815.12.10`, `18151210`, each with a time behind it or without. */
const YEAR_FIRST = /^(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))(?:[T ]\d{2}:?\d{2}.*)?$/;

/**
 * The normaliser of days. Of a moment it takes the day as it is written, in whichever time zone that was.
 *
 * @example
 * ```ts
 * import { date } from "@strongroom/vault/normalisers";
 *
 * console.log(date().normalise("1815-12-10T00:00:00Z") === date().normalise("18151210")); // prints: true
 * ```
 */
export function date(): Normaliser {
  return normaliserOf({ kind: "date", version: 1, form });
}

function form(text: string): string | null {
  const [, year = "", , month, day, closeMonth, closeDay] = YEAR_FIRST.exec(text.normalize("NFKC").trim()) ?? [];
  const [ofYear, ofMonth] = [month ?? closeMonth, day ?? closeDay];
  if (ofYear === undefined || ofMonth === undefined) return null;
  const written = `${year}-${ofYear.padStart(2, "0")}-${ofMonth.padStart(2, "0")}`;
  const moment = new Date(`${written}T00:00:00Z`);
  // The 30th of February is the 1st or 2nd of March to Date, and nobody's birthday.
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(written) ? written : null;
}
