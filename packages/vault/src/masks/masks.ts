/**
 * What is shown of a value to somebody who may not see it: enough to know it again, too little to have it. Of a value
 * that is not of the kind, or so short that the rest could be guessed, nothing is shown; of none, how long it is.
 */

/** Kinds of masks, of values of a document. `hash`, a keyed one, is made by a vault alone, which has the key. */
export type MaskKind = "card" | "email" | "hash" | "iban" | "last4" | "name" | "phone" | "redact";

/** In the place of what is not shown. */
export const HIDDEN = "•••";

/** The last four are shown of what has at least so many characters. */
const LEAST_OF_LAST_FOUR = 8;
const LAST_FOUR = 4;

/** Nobody's name or number is longer; what is may be anything. */
const MAX_SHOWN = 1_024;

const SEGMENTER = new Intl.Segmenter("und", { granularity: "grapheme" });
/** As a person counts them: a letter with its accent is one, and so is an emoji. */
const characters = (text: string): readonly string[] => Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
const first = (text: string): string => characters(text)[0] ?? "";

function lastFour(text: string): string {
  const all = characters(text);
  return all.length < LEAST_OF_LAST_FOUR ? HIDDEN : `${HIDDEN}${all.slice(-LAST_FOUR).join("")}`;
}

/** Letters and digits alone, as they are counted on a card. */
const bare = (text: string): string => text.normalize("NFKC").replace(/[\s\p{Pd}.]/gu, "");

/** Kind -> what is shown of a text. */
const MASKS: Readonly<Record<MaskKind, (text: string) => string>> = {
  redact: () => HIDDEN,
  hash: () => HIDDEN,
  last4: lastFour,
  card: (text) => (/^\d{12,19}$/.test(bare(text)) ? lastFour(bare(text)) : HIDDEN),
  iban: (text) => {
    const iban = bare(text).toUpperCase();
    return /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban) ? `${iban.slice(0, 2)}${lastFour(iban)}` : HIDDEN;
  },
  email: (text) => {
    const [, local = "", domain = ""] = /^([^@\s]+)@([^@\s]+)$/u.exec(text.trim()) ?? [];
    // A letter of a very short name is most of it.
    const initial = characters(local).length < 3 ? "" : first(local);
    return domain === "" ? HIDDEN : `${initial}${HIDDEN}@${domain}`;
  },
  phone: (text) => {
    const digits = bare(text).replace(/[()/]/g, "");
    return /^\+?\d{7,}$/.test(digits) ? `${HIDDEN}${digits.slice(-2)}` : HIDDEN;
  },
  name: (text) => {
    const words = text
      .trim()
      .split(/\s+/u)
      .filter((word) => /^\p{L}/u.test(word));
    const initials = words.slice(0, 3).map((word) => `${first(word).toUpperCase()}.`);
    return initials.length === 0 ? HIDDEN : initials.join(" ");
  },
};

export const MASK_KINDS = Object.keys(MASKS) as readonly MaskKind[];

/**
 * What is shown of a value. Null and what is left out stay so: that there is nothing is no secret.
 *
 * @example
 * ```ts
 * import { masked } from "@strongroom/vault";
 *
 * console.log(masked("email", "ada@example.com")); // prints: a•••@example.com
 * console.log(masked("card", "4111 1111 1111 1111")); // prints: •••1111
 * console.log(masked("name", "Ada Lovelace")); // prints: A. L.
 * ```
 */
export function masked(kind: MaskKind, value: unknown): string | null | undefined {
  if (value === null || value === undefined) return value;
  // Of a list or an object it would have to be known which of its members are which.
  if (typeof value !== "string" && typeof value !== "number") return HIDDEN;
  const text = String(value);
  return text.length > MAX_SHOWN ? HIDDEN : MASKS[kind](text);
}
