/**
 * What records of a collection may be used for: codes, and what is to be known of each.
 */
import { ownOptions } from "@strongroom/base/options";

/** A purpose, and what is declared of it. */
export interface PurposeOptions {
  /** Up to 64 of `a-z0-9.-`. */
  readonly code: string;
  /** Records are used for it only while everybody whom they are about has given their consent (`vault.rights`). */
  readonly consent?: boolean;
  /** For the report of processing: why that is lawful, and what it is, in words. Up to 300 characters each. */
  readonly basis?: string;
  readonly description?: string;
}

/** Most purposes of a collection. */
export const MAX_PURPOSES = 256;
const PURPOSE = /^[a-z0-9.-]{1,64}$/;
const MAX_WORDS = 300;

export const isPurpose = (value: unknown): value is string => typeof value === "string" && PURPOSE.test(value);

/** A text for people to read, of one line. */
export const isWords = (value: unknown): value is string =>
  typeof value === "string" && value.trim() !== "" && value.length <= MAX_WORDS && !/\p{Cc}/u.test(value);

/** The purposes of a declaration, each with its code; null: the value declares none. */
export function purposesOf(value: unknown): readonly PurposeOptions[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PURPOSES) return null;
  const all = value.map(purposeOf);
  const purposes = all.filter((one) => one !== null);
  return purposes.length === value.length ? purposes : null;
}

function purposeOf(value: unknown): PurposeOptions | null {
  if (isPurpose(value)) return { code: value };
  if (typeof value !== "object" || value === null) return null;
  const { values, problems } = ownOptions(value, ["code", "consent", "basis", "description"]);
  const { code, consent, basis, description } = values;
  const isOne =
    problems.length === 0 &&
    isPurpose(code) &&
    (consent === undefined || typeof consent === "boolean") &&
    (basis === undefined || isWords(basis)) &&
    (description === undefined || isWords(description));
  return isOne ? (values as unknown as PurposeOptions) : null;
}
