// What an operation is: a name, a description of its input, and a function from a call to an answer.

import type { Answer } from "../protocol/answer.ts";
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
