// What a cell of a workbook means: its number, truth value, date or text. A number that is shown with leading zeros is
// a text with them, and what a cell cannot mean for sure is refused with its column.
import type { Cell } from "hucre";

/** From which day a workbook counts: old ones of Macs from 1904. */
export type DateSystem = "1900" | "1904";

/** The value of a cell that is not empty. Throws RangeError with a reason that begins with `where`. */
export function cellValue(value: unknown, cell: Cell | undefined, dateSystem: DateSystem, where: string): unknown {
  if (cell?.type === "error") throw new RangeError(`${where} holds an error of the spreadsheet`);
  const format = cell?.style?.numFmt ?? "";
  if (value instanceof Date) return dateText(value, format, dateSystem, where);
  return typeof value === "number" ? numberValue(value, format, where) : value;
}

/** Past this a spreadsheet puts zeros in the place of digits. */
const DIGITS_KEPT = 1e15;

function numberValue(value: number, format: string, where: string): number | string {
  if (Number.isInteger(value) && Math.abs(value) >= DIGITS_KEPT)
    throw new RangeError(
      `${where} is a number of more than 15 digits, of which the spreadsheet keeps 15: make it text`,
    );
  return (Number.isInteger(value) && value >= 0 ? withZeros(value, format) : null) ?? value;
}

/** Digits, and what is shown just as it stands: `"D-"`, `\\-`, and the characters that need neither. */
const FIXED_DIGITS = /^(?:\[[^\]<>=]*\])*((?:0|"[^"]*"|\\.|[ ()/:+-])+?)(?:_.)*(?:;|$)/;

/**
 * A postcode 01067 is the number 1067 under the format 00000; under `"D-"00000` it is D-01067, and 12345678 is
 * 012-34-5678 under 000-00-0000. Null: the format holds no place for leading zeros.
 */
function withZeros(value: number, format: string): string | null {
  const parts: readonly string[] = FIXED_DIGITS.exec(format)?.[1]?.match(/0|"[^"]*"|\\.|./g) ?? [];
  const places = parts.filter((part) => part === "0").length;
  if (places < 2) return null;
  const digits = String(value).padStart(places, "0");
  // The first place holds all digits that the others do not.
  let end = digits.length - places;
  let start = 0;
  const shown = parts.map((part) => {
    if (part !== "0") return part.replace(/^"|"$|^\\/g, "");
    const place = digits.slice(start, ++end);
    start = end;
    return place;
  });
  return shown.join("");
}

const MS_OF_DAY = 86_400_000;

/** The day zero of each. In the one of 1900 the days from March 1900 on count one more: it has a 29 February. */
const DAY_ZERO: Readonly<Record<DateSystem, number>> = { "1900": Date.UTC(1899, 11, 31), "1904": Date.UTC(1904, 0, 1) };

/** A spreadsheet's dates have no zone: the day, the time of day, or both; `[h]:mm` shows a length of time. */
function dateText(value: Date, format: string, dateSystem: DateSystem, where: string): string {
  const since = value.getTime() - DAY_ZERO[dateSystem];
  if (Number.isNaN(since)) throw new RangeError(`${where} is no date`);
  if (since < 0) throw new RangeError(`${where} is before the first day that a spreadsheet counts: make it text`);
  const shown = format.replace(/"[^"]*"|\\.|\[[^\]hms]*\]/gi, "");
  const [day = "", time = ""] = value
    .toISOString()
    .replace(/\.000Z$|Z$/, "")
    .split("T");
  if (/\[(?:h+|m+|s+)\]/i.test(shown)) return lengthText(since, time, dateSystem, where);
  // The day zero of 1900 is none; that of 1904 is 1 January, unless only a time is shown.
  if (since < MS_OF_DAY && (dateSystem === "1900" || !/[yd]/i.test(shown))) return time;
  return time === "00:00:00" ? day : `${day}T${time}`;
}

/** Hours, minutes and seconds, however many hours. */
function lengthText(since: number, time: string, dateSystem: DateSystem, where: string): string {
  const counted = Math.floor(since / MS_OF_DAY);
  // The library reads every moment of the day 60, which was none, as the beginning of the day 59.
  if (dateSystem === "1900" && since === 59 * MS_OF_DAY)
    throw new RangeError(`${where} is a length of time of 59 or 60 days: make it text`);
  const days = dateSystem === "1900" && counted >= 60 ? counted + 1 : counted;
  const [hours = "", ...rest] = time.split(":");
  return [String(days * 24 + Number(hours)).padStart(2, "0"), ...rest].join(":");
}
