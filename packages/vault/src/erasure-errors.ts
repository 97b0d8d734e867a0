/**
 * What can go wrong when people are erased, held or handed their data: these rows of the vault's table of errors
 * (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link ERASURE_ERRORS}. */
export type ErasureErrorCode =
  | "subject-held"
  | "subject-shared"
  | "certificate-invalid"
  | "certificate-absent"
  | "hold-absent"
  | "hold-refused"
  | "reason-invalid"
  | "erasure-contended";

/** Code -> what it stands for. */
export const ERASURE_ERRORS: ErrorTable<ErasureErrorCode> = {
  "subject-held": {
    title: "The person is under a legal hold",
    remedy: "Nothing was erased. strongroom hold list says which; lift it when there is no reason for it any more.",
    outcome: "refused",
    status: 409,
  },
  "subject-shared": {
    title: "Records of the person are about somebody else too",
    remedy: "Nothing was erased. Write those records anew about the others alone, or remove them.",
    outcome: "refused",
    status: 409,
  },
  "certificate-invalid": {
    title: "The certificate is not one that this key has signed",
    remedy: "Get the file and the public key again, each from where it was published.",
    outcome: "refused",
    status: 400,
  },
  "certificate-absent": {
    title: "There is no certificate of that erasure",
    remedy: "The person was not erased, or is being erased still: strongroom erase says how far it is.",
    outcome: "refused",
    status: 404,
  },
  "hold-absent": {
    title: "There is no such hold",
    remedy: "Look up the hold's id: strongroom hold list.",
    outcome: "refused",
    status: 404,
  },
  "hold-refused": {
    title: "The hold cannot be set",
    remedy: "The person has as many holds as can be set at a time. Lift one that has no reason any more.",
    outcome: "refused",
    status: 409,
  },
  "reason-invalid": {
    title: "The reason is not a code",
    remedy: "Give 1 to 64 characters of a-z, 0-9, '.' and '-', such as art-17: it stays in the audit in clear.",
    outcome: "usage",
    status: 400,
  },
  "erasure-contended": {
    title: "Others keep changing what is held of the person",
    remedy: "Try again in a moment.",
    outcome: "unavailable",
    status: 503,
  },
};
