/**
 * Normalisers: what two spellings of a value have in common, so that one is found by the other.
 */
export { customNormaliser } from "./normalisers/normaliser.ts";
export type { Normaliser, NormaliserRules } from "./normalisers/normaliser.ts";
export { date } from "./normalisers/date.ts";
export { email } from "./normalisers/email.ts";
export { foldedName } from "./normalisers/name.ts";
export { phone } from "./normalisers/phone.ts";
export type { PhoneOptions } from "./normalisers/phone.ts";
export { postcode } from "./normalisers/postcode.ts";
export { exact, text } from "./normalisers/text.ts";
