/**
 * Postcodes of any country: letters and digits, without what is written between them.
 */
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

const BETWEEN = /[\s\p{Pd}]+/gu;
const POSTCODE = /^[A-Z0-9]{2,12}$/;

/**
 * The normaliser of postcodes.
 *
 * @example
 * ```ts
 * import { postcode } from "@strongroom/vault/normalisers";
 *
 * console.log(postcode().normalise("sw1a 1aa") === postcode().normalise("SW1A1AA")); // prints: true
 * ```
 */
export function postcode(): Normaliser {
  return normaliserOf({
    kind: "postcode",
    version: 1,
    form: (text) => {
      const code = text.normalize("NFKC").replace(BETWEEN, "").toUpperCase();
      return POSTCODE.test(code) ? code : null;
    },
  });
}
