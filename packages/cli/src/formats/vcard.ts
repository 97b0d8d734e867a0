// vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350): address books. A card is a record. ical.js takes a content line apart
// into name, parameters and value; it changes values while it reads them (a birthday that is no date, `\;` in a note),
// so they are read here as they stand. docs/files.md says what a card looks like as a document.
import ICAL from "ical.js";
import { type Document, LONGEST_LINE } from "./document.ts";
import type { InputFormat, SourceRecord } from "./format.ts";
import { type Fold, textLines, unfolded } from "./text-lines.ts";
import { unquotedPrintable } from "./vcard-quoted-printable.ts";

/** Address books. */
export const vcardFormat: InputFormat = {
  kind: "taken",
  name: "vcard",
  title: "a vCard file",
  content: "text",
  unit: "line",
  looksLike: ({ text }) => text !== null && /^\s*BEGIN:\s*VCARD\s/i.test(text),
  read: async ({ chunks }) => ({ columns: null, notes: [], records: readCards(chunks) }),
};

async function* readCards(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<SourceRecord> {
  let card: { readonly position: number; readonly lines: string[]; length: number } | null = null;
  let depth = 0;
  for await (const { number, text } of unfolded(textLines(chunks), fold)) {
    const marker = /^(BEGIN|END):\s*VCARD\s*$/i.exec(text)?.[1]?.toUpperCase();
    if (marker === "BEGIN" && card !== null && AGENT.test(card.lines.at(-1) ?? "")) {
      card.lines.push(text);
      depth++;
    } else if (marker === "BEGIN") {
      if (card !== null) yield cutOff(card.position);
      card = { position: number, lines: [], length: 0 };
      depth = 1;
    } else if (card === null) {
      if (text.trim() !== "") yield bad(number, "stands outside of a card");
    } else if (marker === "END" && --depth === 0) {
      yield card.length > LONGEST_LINE
        ? bad(card.position, `is longer than ${LONGEST_LINE} bytes`)
        : parseCard(card.position, card.lines);
      card = null;
    } else {
      card.length += text.length;
      if (card.length <= LONGEST_LINE) card.lines.push(text);
    }
  }
  if (card !== null) yield cutOff(card.position);
}

/** Behind this a card of vCard 2.1 may hold another; anywhere else the one before has lost its end. */
const AGENT = /^(?:[^:;]+\.)?AGENT(?:;[^:]*)?:\s*$/i;

function cutOff(position: number): SourceRecord {
  return bad(position, "the card is cut off: its END:VCARD is missing");
}

function bad(position: number, reason: string): SourceRecord {
  return { kind: "bad", position, reason };
}

/**
 * RFC 6350, section 3.2: a line that begins with white space goes on with the one before. So does, in quoted-printable
 * text of vCard 2.1, the line behind a `=` at the end.
 */
const fold: Fold = ({ first, last, next }) => {
  if (last.endsWith("=") && isQuotedPrintable(first)) return { last: last.slice(0, -1), added: next };
  return /^[ \t]/.test(next) ? { last, added: next.slice(1) } : null;
};

function isQuotedPrintable(line: string): boolean {
  return /^[^:]*;\s*(?:ENCODING=)?QUOTED-PRINTABLE/i.test(line);
}

/** Everything is text, so that the library leaves it as it is. Without prototypes: a property may be `constructor`. */
const AS_IT_STANDS = {
  value: Object.create(null) as object,
  param: Object.assign(Object.create(null) as object, { type: { multiValue: ",", multiValueSeparateDQuote: true } }),
  property: Object.create(null) as object,
  propertyGroups: true,
};

/** One line of a card. */
interface Property {
  readonly name: string;
  /** Parameters and group, as they are kept beside the value. */
  readonly about: Document;
  readonly value: unknown;
}

function parseCard(position: number, lines: readonly string[]): SourceRecord {
  const properties: Property[] = [];
  const isOld = lines.some((line) => /^VERSION:\s*2\./i.test(line));
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    try {
      properties.push(parseProperty(line, isOld ? OLD_ESCAPES : ESCAPES));
    } catch (error) {
      // The library's own message quotes the line.
      const reason = error instanceof RangeError ? error.message : "is not understood";
      return bad(position, `its property ${index + 1} ${reason}`);
    }
  }
  return { kind: "document", position, document: cardDocument(properties) };
}

/** Words of vCard 2.1 that stand without the name of their parameter. */
const BARE_WORDS: Readonly<Record<string, string>> = {
  "QUOTED-PRINTABLE": "ENCODING",
  BASE64: "ENCODING",
  "8BIT": "ENCODING",
  "7BIT": "ENCODING",
  INLINE: "VALUE",
  URL: "VALUE",
  "CONTENT-ID": "VALUE",
};

/** `TEL;CELL:` as `TEL;TYPE=CELL:`. */
function withNamedParameters(line: string): string {
  const [head = ""] = /^(?:"[^"]*"|[^":])*/.exec(line) ?? [];
  const parts = head.match(/(?:"[^"]*"|[^";])+/g) ?? [];
  const named = parts.map((part, index) =>
    index === 0 || part.includes("=") ? part : `${BARE_WORDS[part.trim().toUpperCase()] ?? "TYPE"}=${part.trim()}`,
  );
  requireOnce(named.slice(1));
  return named.join(";") + line.slice(head.length);
}

/** The library keeps the last of two values. Types are a list, whether in one parameter or in several. */
function requireOnce(parameters: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const parameter of parameters) {
    const [name = "", ...value] = parameter.split("=");
    const key = name.trim().toUpperCase();
    const given = value.join("=").trim();
    // Words of the format may be in any letters.
    const text = key === "CHARSET" || key === "ENCODING" ? given.toLowerCase() : given;
    const before = seen.get(key);
    if (key !== "TYPE" && before !== undefined && before !== text) throw new RangeError("has the same parameter twice");
    seen.set(key, text);
  }
}

function parseProperty(line: string, escapes: RegExp): Property {
  const parsed: unknown = ICAL.parse.property(withNamedParameters(line), AS_IT_STANDS);
  const [name, parameters, , raw] = parsed as [string, Record<string, string | string[]>, string, string];
  const { encoding = "", charset = "utf-8", type, ...rest } = parameters;
  if (name === "" || /[^a-z\d-]/.test(name)) throw new RangeError("is not understood");
  const method = String(encoding).toLowerCase();
  const decode = method === "quoted-printable" ? unquotedPrintable(String(charset)) : (text: string): string => text;
  const read = (text: string): string => unescaped(decode(text), escapes);
  const types = [type ?? []].flat().flatMap((one) => one.toLowerCase().split(","));
  const about = {
    ...(types.length === 0 ? {} : { type: types }),
    ...(method === "b" || method === "base64" ? { encoding: "base64" } : {}),
    ...rest,
    // The one parameter that has lines (RFC 6350, section 6.3.1).
    ...(typeof rest["label"] === "string" ? { label: unescaped(rest["label"], escapes) } : {}),
  };
  if (about.encoding === "base64") return { name, about, value: raw.replace(/\s+/g, "") };
  return { name, about, value: valueOf(name, raw, read) };
}

/** Properties of several parts, with the names that RFC 6350 has for them. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  n: ["family", "given", "additional", "prefix", "suffix"],
  adr: ["pobox", "extended", "street", "locality", "region", "postcode", "country"],
  gender: ["sex", "text"],
};

/** Properties that are lists in themselves, and what stands between their items. */
const LISTS: Readonly<Record<string, string>> = { nickname: ",", categories: ",", org: ";" };

function valueOf(name: string, raw: string, read: (text: string) => string): unknown {
  const names = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (names !== undefined) {
    const parts = split(raw, ";").map((part) => split(part, ",").map(read));
    const known = names.flatMap((part, index): [string, unknown][] => {
      const texts = parts[index] ?? [];
      return texts.join("") === "" ? [] : [[part, texts.length === 1 ? texts[0] : texts]];
    });
    const more = parts.slice(names.length).flat();
    return Object.fromEntries(more.length === 0 ? known : [...known, ["more", more]]);
  }
  const separator = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
  return separator === undefined ? read(raw) : split(raw, separator).map(read);
}

/** At a separator that is not escaped. */
function split(text: string, separator: string): readonly string[] {
  const parts = [""];
  for (const [token] of text.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    if (token === separator) parts.push("");
    else parts.push((parts.pop() ?? "") + token);
  }
  return parts;
}

/** RFC 6350, section 3.4; `\:` as Apple's address book writes it. A backslash before anything else is one. */
const ESCAPES = /\\([nN\\,;:])/g;

/** vCard 2.1 knows no line breaks of this kind: there `C:\new` is a path. */
const OLD_ESCAPES = /\\([,;:])/g;

function unescaped(text: string, escapes: RegExp): string {
  return text.replace(escapes, (_all, character: string) => (/n/i.test(character) ? "\n" : character));
}

/** What a card has once (RFC 6350, section 6): its value stands alone. Everything else is a list. */
const ONCE: ReadonlySet<string> = new Set("version fn n bday anniversary gender kind prodid rev uid".split(" "));

function cardDocument(properties: readonly Property[]): Document {
  const document = new Map<string, unknown>();
  for (const { name, about, value } of properties) {
    const before = document.get(name);
    if (before === undefined && ONCE.has(name) && Object.keys(about).length === 0) document.set(name, value);
    else {
      const items = Array.isArray(before) ? (before as unknown[]) : before === undefined ? [] : [{ value: before }];
      document.set(name, [...items, { value, ...about }]);
    }
  }
  return Object.fromEntries(document);
}
