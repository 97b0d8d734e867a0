/**
 * Texts of no kind: without regard to case and to how wide a gap is, or exactly as they are.
 */
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

/**
 * The normaliser of texts: `STRASSE 7` is `Strasse  7`, and not `Straße 7`.
 *
 * @example
 * ```ts
 * import { text } from "@strongroom/vault/normalisers";
 *
 * console.log(text().normalise(" New  York") === text().normalise("new york")); // prints: true
 * ```
 */
export function text(): Normaliser {
  return normaliserOf({
    kind: "text",
    version: 1,
    form: (given) => given.normalize("NFKC").toLowerCase().normalize("NFC").replace(/\s+/gu, " ").trim(),
  });
}

/**
 * The normaliser of values that are found by themselves alone: numbers, codes, yes and no.
 *
 * @example
 * ```ts
 * import { exact } from "@strongroom/vault/normalisers";
 *
 * console.log(exact().normalise("A-1") === exact().normalise("a-1")); // prints: false
 * ```
 */
export function exact(): Normaliser {
  return {
    kind: "exact",
    version: 1,
    options: "",
    // 1, "1" and true are three values.
    normalise: (value) =>
      typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? JSON.stringify(typeof value === "string" ? value.normalize("NFC") : value)
        : null,
  };
}
