/**
 * The encryption context of a version: computed from the address of its row, never read from its message. What the
 * message itself carries is only ever compared with that.
 */
import type { EncryptionContext } from "@strongroom/envelope";
import type { Address, Subject, Version } from "./address.ts";
import type { VaultErrorCode } from "./errors.ts";

export interface VersionAddress extends Address {
  readonly subject: Subject;
  readonly version: Version;
}

const COLLECTION = "strongroom:collection";
const ID = "strongroom:id";
const SUBJECT = "strongroom:subject";
const VERSION = "strongroom:version";

export function versionContext({ collection, id, subject, version }: VersionAddress): EncryptionContext {
  return { [COLLECTION]: collection, [ID]: id, [SUBJECT]: subject, [VERSION]: String(version) };
}

export interface Mismatch {
  readonly code: VaultErrorCode;
  readonly says: string;
}

/**
 * Which entry differs -> what happened to the row. The first that differs names it: a message of another record usually
 * has another subject and version as well.
 */
const MISMATCHES: readonly (Mismatch & { readonly key: string })[] = [
  {
    key: COLLECTION,
    code: "record-moved-collection",
    says: "The message under this address says that it belongs to another collection",
  },
  { key: ID, code: "record-moved", says: "The message under this address says that it belongs to another id" },
  {
    key: SUBJECT,
    code: "record-moved-subject",
    says: "The message of this version says that it is about another subject",
  },
  {
    key: VERSION,
    code: "record-rolled-back",
    says: "The message of this version says that it is another version of the record",
  },
];

/**
 * What is wrong with a message that carries the context `found` under an address whose context is `expected`; null when
 * they are equal. It goes by what the message says of itself: the message is refused unopened, so whether that is
 * authentic stays open. A message without exactly these four entries was never a version of a record.
 */
export function contextMismatch(expected: EncryptionContext, found: EncryptionContext): Mismatch | null {
  const keys = Object.keys(found);
  if (keys.length !== MISMATCHES.length || !MISMATCHES.every(({ key }) => Object.hasOwn(found, key))) {
    return { code: "record-tampered", says: "The message under this address was not made for a record" };
  }
  return MISMATCHES.find(({ key }) => found[key] !== expected[key]) ?? null;
}
