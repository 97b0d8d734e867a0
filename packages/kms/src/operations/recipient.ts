// The parameter Recipient: an attestation of an AWS Nitro enclave, whose documents only AWS's hypervisor signs.

import { unsupported } from "../protocol/aws-error.ts";

/** Refuses rather than hands a plaintext to someone who asked for it to go to an enclave only. */
export function refuseRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw unsupported("Attestation documents of Nitro enclaves cannot be verified here.");
}
