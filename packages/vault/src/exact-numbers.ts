/**
 * Finds numbers in JSON text that a double changes: 12345678901234567890 would be stored as 12345678901234567000, 1e999
 * as null. RFC 8259 section 6 leaves precision to the implementation; a store that gives back something else than it
 * was given must say so first.
 */

/** Up to 15 significant digits and no exponent always survive (IEEE 754 binary64): text without a match needs no second look. */
const SUSPECT = /\d[\d.]{15}|\d[eE]/;
/** No double needs so long a literal; what is longer is refused unread, so that no text makes the comparison slow. */
const LONGEST_LITERAL = 400;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** What `JSON.parse` hands a reviver since ECMAScript 2025: the literal's own text. */
interface SourceContext {
  readonly source?: string;
}
type SourceReviver = (this: unknown, key: string, value: unknown, context: SourceContext) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown;

/** True when some number of this valid JSON text has another decimal value after parsing and printing. */
export function hasInexactNumber(text: string): boolean {
  if (!SUSPECT.test(text)) return false;
  let found = false;
  parseWithSource(text, (_key, value, { source }) => {
    if (typeof value === "number" && source !== undefined) found ||= source.length > LONGEST_LITERAL || decimal(source) !== decimal(String(value));
    // Nothing is kept of this second parse.
    return typeof value === "object" ? value : undefined;
  });
  return found;
}

/** One text per decimal value: significant digits without zeros at either end, and their exponent. */
function decimal(literal: string): string {
  const parts = NUMBER.exec(literal);
  if (parts === null) return literal;
  const [, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = (whole + fraction).replace(/^0+/, "");
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  const significant = digits.slice(0, end);
  if (significant === "") return "0";
  // BigInt: an exponent of any length is legal JSON.
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${literal.startsWith("-") ? "-" : ""}${significant}e${scale}`;
}
