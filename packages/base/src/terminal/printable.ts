/**
 * Text from outside in the form in which a terminal may have it: for a person, and as JSON.
 */

/** A selector is kept where it chooses a form: of an emoji, a key cap, an ideograph, a Mongolian letter. Only one. */
const SELECTOR = [
  String.raw`(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]`,
  String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
  String.raw`(?<=\p{Ideographic})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
  String.raw`(?<=\p{Script=Mongolian})[\u180b-\u180d\u180f]`,
].join("|");
/**
 * What no terminal may be sent: control characters, directions of writing, whatever is not seen. A joiner is kept
 * between the parts of an emoji and after the signs that Indic scripts join with, where it changes what is seen.
 */
const NEVER_SHOWN = String.raw`(?!\u200d|${SELECTOR})[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]`;
const STRAY_JOINER = String.raw`(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f|(?!\p{Script=Inherited})\p{Mn})\u200d`;
/** As the source of a regular expression with the flag u. */
export const HIDDEN: string = `${STRAY_JOINER}|${NEVER_SHOWN}`;
const EVERY_HIDDEN = new RegExp(HIDDEN, "gu");

/**
 * Text from outside as a terminal may show it: control characters, and whatever does not show, replaced, so that a
 * stored id, a file name or another program's answer cannot steer it; cut where it is longer than `longest`.
 */
export function printable(text: string, longest: number = Infinity): string {
  const kept = text.length <= longest ? text : text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "");
  const replaced = kept.replace(EVERY_HIDDEN, escaped);
  return kept === text ? replaced : `${replaced}… (${text.length} characters)`;
}

/** A character in the form in which it is shown. */
export function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Longest text from outside that a person is shown, in UTF-16 units. */
export const LONGEST_SHOWN = 8_192;

/** A copy of what a command prints, with every text in it, names of members too, {@link printable} and bounded. */
export function printableCopy<Data>(data: Data): Data {
  return copy(data) as Data;
}

function copy(data: unknown): unknown {
  if (typeof data === "string") return printable(data, LONGEST_SHOWN);
  if (Array.isArray(data)) return data.map(copy);
  if (typeof data !== "object" || data === null || data instanceof Date) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [printable(name, LONGEST_SHOWN), copy(value)]));
}

/** JSON that reads back as the same data, and that shows nothing to a terminal but itself. */
export function printableJson(data: unknown, indent: number = 0): string {
  return printableJsonText(JSON.stringify(data, null, indent));
}

/** The same of JSON that is written already, and of other lines: those stay lines. */
export function printableJsonText(text: string): string {
  // Inside of a text of JSON a line end is \n: what is found here stands between members, or documents.
  return text.replace(/(?!\r?\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu, asJson);
}

function asJson(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => {
    return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
  }).join("");
}
