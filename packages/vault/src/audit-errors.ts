/**
 * What can go wrong with the audit: these rows of the vault's table of errors (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link AUDIT_ERRORS}. */
export type AuditErrorCode =
  | "audit-unavailable"
  | "audit-missing"
  | "audit-foreign"
  | "audit-actor-invalid"
  | "purpose-missing"
  | "purpose-refused"
  | "store-rolled-back"
  | "statement-refused"
  | "subject-unknown";

/** Code -> what it stands for. */
export const AUDIT_ERRORS: ErrorTable<AuditErrorCode> = {
  "audit-unavailable": {
    title: "The audit cannot take an entry",
    remedy:
      "Nothing was stored or released: nothing is without an entry. The error's cause, or the service's log, says " +
      "why: room on the disk, or a database that cannot be reached or written. It goes on by itself once that is over.",
    outcome: "unavailable",
    status: 503,
  },
  "audit-missing": {
    title: "The stores belong to a vault with an audit",
    remedy: "Open the vault with its audit (the option audit, with the log that it had), also for reading.",
    outcome: "usage",
    status: 500,
  },
  "statement-refused": {
    title: "The statement is refused: it was not signed by that key as it is",
    remedy: "Ask for it again where it came from, and for the verifier key somewhere else. Do not rely on it.",
    outcome: "refused",
    status: 400,
  },
  "audit-foreign": {
    title: "The log of the audit belongs to another vault",
    remedy: "Configure the log that these records were written with (audit.store), or restore it from a backup.",
    outcome: "failure",
    status: 500,
  },
  "audit-actor-invalid": {
    title: "On whose behalf it is to be done is not said as it must be",
    remedy:
      "A principal is 1 to 128 characters of A-Z, a-z, 0-9 and ._:@/+=-, a purpose up to 64 of a-z, 0-9, . and -, a " +
      "ticket up to 64 of A-Z, a-z, 0-9 and ._#/-, an export a random UUID.",
    outcome: "usage",
    status: 400,
  },
  "purpose-missing": {
    title: "The collection is used for a purpose only that is said",
    remedy: "Say for what: one of the purposes that the collection declares.",
    outcome: "usage",
    status: 400,
  },
  "purpose-refused": {
    title: "The collection is not there for this purpose",
    remedy:
      "Nothing was stored or released. Use one of the purposes that the collection declares, or declare this one.",
    outcome: "refused",
    status: 403,
  },
  "store-rolled-back": {
    title: "An older state of a database was put back",
    remedy:
      "Nothing is read or written. Put the newest copy back. To go on with an older one, as after the restore of a " +
      "backup, accept it once with a reason (--accept-restore REASON): it is in the audit for ever.",
    outcome: "refused",
    status: 500,
  },
  "subject-unknown": {
    title: "The audit knows nobody by that name",
    remedy: "Check the name and the tenant, or ask by the opaque id: the name of who was erased is gone.",
    outcome: "absent",
    status: 404,
  },
};
