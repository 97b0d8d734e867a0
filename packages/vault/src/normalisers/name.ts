/**
 * Names of people, folded: in Latin letters, without accents, case, punctuation or doubled spaces. It is to find
 * somebody whose name was written down by somebody else; it tells nobody apart, and is no form for a unique index.
 */
import anyAscii from "any-ascii";
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

/** Written or left out: O'Brien and OBrien. */
const APOSTROPHES = /['`´ʹʻʼʽˈ‘’‛′]/gu;
const NO_LETTERS = /[^\p{L}\p{M}\p{N}]+/gu;
const NO_ASCII_LETTERS = /[^a-z0-9]+/g;

/**
 * The normaliser of names.
 *
 * @example
 * ```ts
 * import { foldedName } from "@strongroom/vault/normalisers";
 *
 * console.log(foldedName().normalise("Łukasz  O’Brien") === foldedName().normalise("lukasz obrien")); // prints: true
 * ```
 */
export function foldedName(): Normaliser {
  return normaliserOf({ kind: "folded-name", version: 1, form });
}

function form(text: string): string | null {
  // Before it is told in Latin letters: that of an emoji would be its English name.
  const letters = text.normalize("NFKC").replace(APOSTROPHES, "").replace(NO_LETTERS, " ");
  const folded = anyAscii(letters).toLowerCase().replace(APOSTROPHES, "").replace(NO_ASCII_LETTERS, " ").trim();
  return folded === "" ? null : folded;
}
