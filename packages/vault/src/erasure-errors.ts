/**
 * What can go wrong when people are erased, held or handed their data: these rows of the vault's table of errors
 * (errors.ts).
 */
import type { ErrorTable } from "@strongroom/base/errors";

/** A code of {@link ERASURE_ERRORS}. */
export type ErasureErrorCode = "subject-held" | "subject-shared" | "certificate-invalid";

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
    remedy:
      "Nothing was erased. Re-point or remove those records, or let the collection declare that they are kept under the " +
      "other person's key.",
    outcome: "refused",
    status: 409,
  },
  "certificate-invalid": {
    title: "The certificate is not one that this key has signed",
    remedy: "Get the file and the public key again, each from where it was published.",
    outcome: "refused",
    status: 400,
  },
};
