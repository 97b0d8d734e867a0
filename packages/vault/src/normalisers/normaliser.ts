/**
 * What two spellings of a value have in common, so that one is found by the other: the form that an index is made of.
 * Two values have one form only where they are the same thing for whoever looks for it; never two people for the same
 * person.
 */
import { VaultError } from "../errors.ts";

/**
 * Makes forms. Its kind, its version and its options are part of the key that its forms are tagged with: forms of
 * another version meet none of this one, so that a change of any form must come as another version.
 */
export interface Normaliser {
  /** Up to 64 of `a-z0-9-`. */
  readonly kind: string;
  /** From 1; raised with every change by which any value has another form. */
  readonly version: number;
  /** What else its forms hang on, as text: "DE", the country of a phone number without one. */
  readonly options: string;
  /**
   * The form of a value out of a document.
   *
   * @returns null for what nobody looks for: a value that is left out, null, or a list or an object
   */
  normalise(value: unknown): string | null;
}

/** What a normaliser knows of one kind of value. */
export interface NormaliserRules extends Pick<Normaliser, "kind" | "version"> {
  readonly options?: string;
  /** The form of a text; null: it is not of this kind. */
  readonly form: (text: string) => string | null;
}

/** Longer texts are taken as they are: whatever a form is made with must not be given megabytes. */
const MAX_FORMED = 1_024;

/**
 * A normaliser of these rules. What is not of its kind is found by itself as it is written, and by nothing else: no
 * such form is that of something that is of the kind.
 */
export function normaliserOf({ kind, version, options = "", form }: NormaliserRules): Normaliser {
  return {
    kind,
    version,
    options,
    normalise: (value) => {
      const text = textOf(value);
      if (text === null) return null;
      const found = text.length <= MAX_FORMED ? form(text) : null;
      return found === null ? `${AS_WRITTEN}${text.normalize("NFC").trim()}` : `${OF_THE_KIND}${found}`;
    },
  };
}

const OF_THE_KIND = "=";
const AS_WRITTEN = "~";

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** What the kinds of callers' own begin with: none of them is that of one of these. */
const OWN = "own-";
/** Characters, with that before them: a field takes no normaliser of a longer kind. */
const MAX_OWN = 64 - OWN.length;
const KIND = /^[a-z0-9-]+$/;

/**
 * A normaliser of the caller's own.
 *
 * @param rules whose kind has up to 60 characters, and whose form must be the same for the same text for ever, whatever
 *   else changes: for another one, raise `version`. Null: the text is not of this kind, and is found as it is written.
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { customNormaliser } from "@strongroom/vault/normalisers";
 *
 * const memberNumber = customNormaliser({
 *   kind: "member-number",
 *   version: 1,
 *   form: (text) => /^M-?(\d{6})$/i.exec(text.trim())?.[1] ?? null,
 * });
 * console.log(memberNumber.normalise("m123456") === memberNumber.normalise("M-123456")); // prints: true
 * ```
 */
export function customNormaliser(rules: NormaliserRules): Normaliser {
  const { kind, version, options = "", form } = rules;
  const problems = [
    ...(typeof kind === "string" && KIND.test(kind) && kind.length <= MAX_OWN
      ? []
      : [`kind must be up to ${MAX_OWN} of a-z, 0-9 and '-'`]),
    ...(Number.isSafeInteger(version) && version >= 1 ? [] : ["version must be a whole number from 1"]),
    ...(typeof options === "string" && options.length <= MAX_FORMED && options.isWellFormed()
      ? []
      : [`options must be a text of up to ${MAX_FORMED} characters`]),
    ...(typeof form === "function" ? [] : ["form must be a function"]),
  ];
  if (problems.length > 0) throw new VaultError("vault-option-invalid", `normaliser: ${problems.join("; ")}`);
  return normaliserOf({ kind: `${OWN}${kind}`, version, options, form });
}
