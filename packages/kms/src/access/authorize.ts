// Whether a principal may do something.

import type { Principal } from "../auth/principals.ts";
import type { KeyRecord } from "../keys/key-record.ts";
import { AwsError } from "../protocol/aws-error.ts";

/** What is asked of a key, or of the account when `key` is null. */
export interface AccessRequest {
  readonly principal: Principal;
  /** `kms:Encrypt` and its like. */
  readonly action: string;
  readonly key: KeyRecord | null;
}

/** @throws AwsError AccessDeniedException if the principal may not. */
export function authorize({ principal, action }: AccessRequest): void {
  if (principal.kind === "root") return;
  throw new AwsError("AccessDeniedException", `User: ${principal.arn} is not authorized to perform: ${action}`);
}
