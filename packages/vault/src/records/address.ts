/**
 * Where a record is: collection, id, version, and whom it is about. Branded types are made only by the parsers here, so
 * that nothing unchecked reaches an encryption context or a row.
 */
import { VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";

declare const brand: unique symbol;

/** `[a-z][a-z0-9_-]{0,62}`. */
export type Collection = string & { readonly [brand]: "collection" };
/** 1 to {@link MAX_ID_BYTES} bytes of UTF-8 in NFC; safe as one path segment. */
export type RecordId = string & { readonly [brand]: "id" };
/** Same form as an id. It is in the encryption context, which a KMS logs in clear: no personal data in it. */
export type Subject = string & { readonly [brand]: "subject" };
/** A whole number from 1. */
export type Version = number & { readonly [brand]: "version" };

/** A record's address as the vault uses it. */
export interface Address {
  readonly collection: Collection;
  readonly id: RecordId;
}

/** A record's address as a caller gives it. */
export interface AddressInput {
  readonly collection: string;
  readonly id: string;
}

/** A record's own address and that of its row: another one where ids are sealed. */
export interface Place {
  readonly address: Address;
  readonly row: Address;
}

/** Most bytes of an id or a subject as UTF-8. */
export const MAX_ID_BYTES = 256;
/** Most people that a version is about besides its subject: those of two versions are one unit's. */
export const MAX_ABOUT = 31;
const COLLECTION = /^[a-z][a-z0-9_-]{0,62}$/;
// Categories Cc (control), Zl and Zp (line and paragraph separators): invisible, and able to break a log line or a
// list.
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Checks a collection's name.
 *
 * @throws VaultError `collection-invalid`
 * @example
 * ```ts
 * import { parseCollection } from "@strongroom/vault";
 *
 * console.log(parseCollection("people")); // prints: people
 * ```
 */
export function parseCollection(value: string): Collection {
  if (isCollection(value)) return value;
  throw new VaultError(
    "collection-invalid",
    "A collection's name is a lower-case letter followed by up to 62 lower-case letters, digits, '_' or '-'",
  );
}

/** The collection of consents. Nobody writes to it but `vault.rights`. */
export const CONSENTS = "strongroom-consents" as Collection;

/** Whether a value is a collection's name. */
export function isCollection(value: unknown): value is Collection {
  return typeof value === "string" && COLLECTION.test(value);
}

/**
 * Checks a record's id.
 *
 * @throws VaultError `id-invalid`; the message names the rule that is broken, never the id.
 * @example
 * ```ts
 * import { parseId } from "@strongroom/vault";
 *
 * console.log(parseId("C000127")); // prints: C000127
 * ```
 */
export function parseId(value: string): RecordId {
  requireName(value, "id-invalid", "The id");
  return value as RecordId;
}

/**
 * Checks a subject: whom a record is about.
 *
 * @throws VaultError `subject-invalid`
 * @example
 * ```ts
 * import { parseSubject } from "@strongroom/vault";
 *
 * console.log(parseSubject("person-8f14e45f")); // prints: person-8f14e45f
 * ```
 */
export function parseSubject(value: string): Subject {
  requireName(value, "subject-invalid", "The subject");
  return value as Subject;
}

/**
 * Checks a version's number.
 *
 * @throws VaultError `version-invalid`
 * @example
 * ```ts
 * import { parseVersion } from "@strongroom/vault";
 *
 * console.log(parseVersion(3)); // prints: 3
 * ```
 */
export function parseVersion(value: number): Version {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new VaultError("version-invalid", "A version is a whole number from 1");
  }
  return value as Version;
}

/**
 * Checks both parts of a record's address.
 *
 * @throws VaultError `collection-invalid`, `id-invalid`
 * @example
 * ```ts
 * import { parseAddress } from "@strongroom/vault";
 *
 * const { collection, id } = parseAddress({ collection: "people", id: "C000127" });
 * console.log(collection, id); // prints: people C000127
 * ```
 */
export function parseAddress(value: AddressInput): Address {
  return { collection: parseCollection(value.collection), id: parseId(value.id) };
}

/** Rule broken -> what is wrong then. The order is the order of checking: cheap and size-bounding first. */
const NAME_RULES: readonly {
  readonly broken: (value: string) => boolean;
  readonly message: (value: string) => string;
}[] = [
  { broken: (value) => value === "", message: () => "is empty" },
  {
    // A string has at most three bytes of UTF-8 per code unit and at least one: the second test alone decides, the
    // first is cheap.
    broken: (value) => value.length > MAX_ID_BYTES || Buffer.byteLength(value, "utf8") > MAX_ID_BYTES,
    message: (value) => `has ${Buffer.byteLength(value, "utf8")} bytes of UTF-8; at most ${MAX_ID_BYTES} are allowed`,
  },
  {
    broken: (value) => value === "." || value === "..",
    message: (value) => `is "${value}", which means a folder in a path`,
  },
  {
    broken: (value) => /[/\\]/.test(value),
    message: (value) => `contains "${value.includes("/") ? "/" : "\\"}", which separates folders in a path`,
  },
  { broken: (value) => value.includes("\0"), message: () => "contains a NUL character" },
  {
    broken: (value) => !value.isWellFormed(),
    message: () => "contains half of a surrogate pair, which has no UTF-8 form",
  },
  { broken: (value) => CONTROL.test(value), message: () => "contains a control or line separator character" },
  {
    // Two ids that look alike and differ in bytes would be two records.
    broken: (value) => value.normalize("NFC") !== value,
    message: () => "is not in Unicode normal form C; normalize it before use",
  },
];

function requireName(value: string, code: VaultErrorCode, what: string): void {
  if (typeof (value as unknown) !== "string") throw new VaultError(code, `${what} must be a string`);
  const rule = NAME_RULES.find(({ broken }) => broken(value));
  if (rule !== undefined) throw new VaultError(code, `${what} ${rule.message(value)}`);
}
