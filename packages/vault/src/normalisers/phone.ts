/**
 * Phone numbers, by libphonenumber: as they are dialled from anywhere (E.164), with their extension. Its version is
 * pinned: numbering plans change with it, and a form that changes is one that is not found any more.
 */
import { isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { CountryCode } from "libphonenumber-js/max";
import { VaultError } from "../errors.ts";
import { normaliserOf } from "./normaliser.ts";
import type { Normaliser } from "./normaliser.ts";

/** How numbers are read. */
export interface PhoneOptions {
  /** Of numbers that have no `+`: "DE", as ISO 3166 names it. Left out: such a number is found as it is written. */
  readonly country?: string;
}

/**
 * The normaliser of phone numbers.
 *
 * @throws VaultError `vault-option-invalid` for a country that there are no numbers of
 * @example
 * ```ts
 * import { phone } from "@strongroom/vault/normalisers";
 *
 * const german = phone({ country: "DE" });
 * console.log(german.normalise("030 / 123 45-67") === german.normalise("+49 30 1234567")); // prints: true
 * ```
 */
export function phone({ country }: PhoneOptions = {}): Normaliser {
  if (country === undefined) return phoneIn(undefined);
  if (typeof country === "string" && isSupportedCountry(country)) return phoneIn(country);
  throw new VaultError("vault-option-invalid", "phone: country must be a country as ISO 3166 names it, such as DE");
}

function phoneIn(defaultCountry: CountryCode | undefined): Normaliser {
  return normaliserOf({
    kind: "phone",
    version: 1,
    options: defaultCountry ?? "",
    form: (text) => {
      // Only a text that is a number and nothing else: one that is found inside of another text is somebody's guess.
      const found = parsePhoneNumberFromString(text.normalize("NFKC"), {
        ...(defaultCountry === undefined ? {} : { defaultCountry }),
        extract: false,
      });
      if (found?.isPossible() !== true) return null;
      return found.ext === undefined ? found.number : `${found.number};ext=${found.ext}`;
    },
  });
}
