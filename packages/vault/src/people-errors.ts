/**
 * What can go wrong with people and their keys: these rows of the vault's table of errors (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link PEOPLE_ERRORS}. */
export type PeopleErrorCode =
  | "consent-missing"
  | "collection-reserved"
  | "recipient-invalid"
  | "subject-restricted"
  | "subject-erased"
  | "subject-differs"
  | "subject-missing"
  | "subject-absent"
  | "subject-name-absent"
  | "subject-key-absent"
  | "subject-key-tampered"
  | "subject-key-set-back"
  | "tenant-invalid"
  | "collection-differs"
  | "key-store-foreign"
  | "key-store-lost"
  | "key-store-behind";

/** Of somebody whose key or name is not there: they were erased, or it was lost. */
export const WITHOUT_KEY: ReadonlySet<string> = new Set<PeopleErrorCode>([
  "subject-erased",
  "subject-key-absent",
  "subject-name-absent",
]);

/** Code -> what it stands for. */
export const PEOPLE_ERRORS: ErrorTable<PeopleErrorCode> = {
  "consent-missing": {
    title: "Somebody has not given their consent to this use",
    remedy:
      "The collection declares that this purpose needs a consent, and somebody whom the record is about gave none, " +
      "or has withdrawn it. Nothing was released. strongroom person consents SUBJECT shows what there is.",
    outcome: "refused",
    status: 403,
  },
  "collection-reserved": {
    title: "The collection is the vault's own",
    remedy: "Nothing was stored. Consents are given and withdrawn by strongroom person consent, or by vault.rights.",
    outcome: "usage",
    status: 403,
  },
  "recipient-invalid": {
    title: "It must be said to whom it is given",
    remedy: "Name the recipient of the export: 1 to 200 characters of one line. The audit keeps it, sealed.",
    outcome: "usage",
    status: 400,
  },
  "subject-restricted": {
    title: "The person whom the record is about is restricted",
    remedy: "Nothing was stored or released. Lift the restriction first, if there is no reason for it any more.",
    outcome: "refused",
    status: 403,
  },
  "subject-erased": {
    title: "The person whom the record is about was erased",
    remedy: "Nothing of them can be read or written any more. Who registers again is somebody new.",
    outcome: "absent",
    status: 410,
  },
  "subject-differs": {
    title: "The record is about somebody else",
    remedy:
      "Nothing was stored. Leave the subject out to keep it; to make the record about somebody else, say so: it is " +
      "encrypted anew under their key (repoint).",
    outcome: "conflict",
    status: 409,
  },
  "subject-missing": {
    title: "The document does not say whom it is about",
    remedy: "The collection declares a field that names the person: fill it with a string, or name the subject.",
    outcome: "usage",
    status: 422,
  },
  "subject-absent": {
    title: "Nobody has that name",
    remedy: "Check the name and the tenant. Whoever was never written about, or was erased, has no key.",
    outcome: "absent",
    status: 404,
  },
  "subject-name-absent": {
    title: "The key store has no name of the person",
    remedy:
      "A row of the key store is gone. Restore the key store from its newest backup; strongroom doctor lists more.",
    outcome: "failure",
    status: 500,
  },
  "subject-key-absent": {
    title: "The key of the person is not in the key store",
    remedy:
      "The record cannot be opened without it. Restore the newest backup of the key store: it must be newer than the " +
      "records.",
    outcome: "failure",
    status: 500,
  },
  "subject-key-tampered": {
    title: "A stored key is not the one that it was made as",
    remedy:
      "A row of the key store was changed, moved or swapped, or a region gave another key. Nothing was sealed or " +
      "released. Restore the key store from a trusted backup and find out who wrote to it.",
    outcome: "refused",
    status: 500,
  },
  "subject-key-set-back": {
    title: "The key store offers a key that was retired",
    remedy:
      "The newest key of a person is gone from the key store: it was set back, or the row deleted. Nothing was " +
      "stored. Restore the key store from its newest backup.",
    outcome: "refused",
    status: 500,
  },
  "tenant-invalid": {
    title: "That is no tenant",
    remedy: "A tenant is up to 63 lower-case letters, digits, '.', '_' and '-', and begins with a letter or digit.",
    outcome: "usage",
    status: 400,
  },
  "collection-differs": {
    title: "The collection is declared otherwise than it is stored",
    remedy: "Declare its ids as they were when its first record was written, in every process.",
    outcome: "failure",
    status: 500,
  },
  "key-store-foreign": {
    title: "The key store belongs to another vault",
    remedy: "Configure the key store of these records (keyStore.url), or the records of this key store.",
    outcome: "failure",
    status: 500,
  },
  "key-store-lost": {
    title: "The records belong to another key store than the configured one",
    remedy:
      "Configure the key store that the records were written with, or restore it from a backup. A new one cannot " +
      "open them.",
    outcome: "failure",
    status: 500,
  },
  "key-store-behind": {
    title: "The key store is older than the records",
    remedy:
      "It lacks keys of the newest people. Restore a newer backup of it: the keys must be newer than the records.",
    outcome: "failure",
    status: 500,
  },
};
