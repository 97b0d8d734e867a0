// What an operation is: a name, a description of its input, and a function from a call to an answer. And what most
// operations do with the members that they have in common.

import type { KeyRequest } from "../access/key-access.ts";
import type { EncryptionContext } from "../crypto/ciphertext-blob.ts";
import type { KeyOperation } from "../keys/key-rules.ts";
import { AwsError } from "../protocol/aws-error.ts";
import type { Answer } from "../protocol/exchange.ts";
import type { Infer, Shape } from "../protocol/shape.ts";
import type { Call } from "./call.ts";

/** One operation of the KMS API. */
export interface Operation {
  /** As in `X-Amz-Target: TrentService.NAME`. */
  readonly name: string;
  /** CloudTrail's notion: whether the call leaves the state of the service as it is. */
  readonly readOnly: boolean;
  readonly input: Shape<unknown>;
  run(call: Call, input: unknown): Answer | Promise<Answer>;
}

/** Declares an operation; `run` is given the input as its shape describes it. */
export function operation<const S extends Shape<unknown>>(definition: {
  readonly name: string;
  readonly effect: "reads" | "writes";
  readonly input: S;
  readonly run: (call: Call, input: Infer<S>) => Answer | Promise<Answer>;
}): Operation {
  const { name, effect, input, run } = definition;
  return { name, readOnly: effect === "reads", input, run: (call, value) => run(call, value as Infer<S>) };
}

/** What a cryptographic operation asks of a key: its context and grant tokens count for the permission. */
export function keyRequest(
  operation: KeyOperation,
  input: { readonly EncryptionContext?: EncryptionContext; readonly GrantTokens?: readonly string[] },
): KeyRequest {
  return {
    operation,
    ...(input.EncryptionContext !== undefined && { context: input.EncryptionContext }),
    ...(input.GrantTokens !== undefined && { grantTokens: input.GrantTokens }),
  };
}

/** Ends a call that was only to be tried. @throws AwsError DryRunOperationException. */
export function endDryRun(dryRun: boolean | undefined): void {
  if (dryRun !== true) return;
  throw new AwsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
}
