/**
 * Periods by the calendar, in UTC: two years from the 29th of February end on the 28th.
 */

/** So long. */
export interface Period {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  /** As it was declared. */
  readonly text: string;
}

const FORM = /^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?$/;
const MOST_DAYS = 365_000;

/** Days, or a period of ISO 8601 without a time of day; null: it is neither, or from no day to beyond 1,000 years. */
export function parsePeriod(value: unknown): Period | null {
  if (typeof value === "number")
    return Number.isSafeInteger(value) && value >= 1 && value <= MOST_DAYS
      ? { years: 0, months: 0, days: value, text: `P${value}D` }
      : null;
  const found = typeof value === "string" ? FORM.exec(value) : null;
  if (found === null) return null;
  const [years = 0, months = 0, weeks = 0, days = 0] = found
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  const period = { years, months, days: weeks * 7 + days, text: found[0] };
  const inDays = years * 365 + months * 30 + period.days;
  return inDays >= 1 && inDays <= MOST_DAYS ? period : null;
}

/** When a period that began at a moment is over: milliseconds. */
export function endOf({ years, months, days }: Period, from: number): number {
  const at = new Date(from);
  const dayOfMonth = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCFullYear(at.getUTCFullYear() + years, at.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(dayOfMonth, lastDay) + days);
  return at.getTime();
}
