/**
 * Finds numbers in JSON text that a double changes: 12345678901234567890 would be stored as 12345678901234567000, 1e999
 * as null. RFC 8259 section 6 leaves precision to the implementation; a store that gives back something else than it
 * was given must say so first.
 */

/**
 * Up to 15 significant digits and no exponent always survive (IEEE 754 binary64): text without a match needs no second
 * look.
 */
const SUSPECT = /\d[\d.]{15}|\d[eE]/;
/** No double needs so long a literal; what is longer is refused unread, so that no text makes the comparison slow. */
const LONGEST_LITERAL = 400;
const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** True when some number of this valid JSON text has another decimal value after parsing and printing. */
export function hasInexactNumber(text: string): boolean {
  if (!SUSPECT.test(text)) return false;
  for (const literal of numberLiterals(text)) {
    if (literal.length > LONGEST_LITERAL || decimal(literal) !== decimal(String(Number(literal)))) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * In one pass and without recursion, so that no depth of nesting ends the stack. In valid JSON a digit or a minus
 * outside of strings begins a number.
 */
function* numberLiterals(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    if (text.charCodeAt(at) === QUOTE) {
      at++;
      while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
      at++;
    } else if (isNumberPart(text.charCodeAt(at))) {
      const start = at;
      while (at < text.length && isNumberPart(text.charCodeAt(at))) at++;
      const literal = text.slice(start, at);
      // The "e" of true, false is a part of numbers too; a number has a digit.
      if (/\d/.test(literal)) yield literal;
    } else at++;
  }
}

/** 0-9 + - . e E */
function isNumberPart(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || code === 0x45 || code === 0x65
  );
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
