import assert from "node:assert/strict";
import type { AlgorithmSuite, AlgorithmSuiteName, MessageLimits } from "@strongroom/envelope/format";
import { ALGORITHM_SUITES, DEFAULT_LIMITS } from "@strongroom/envelope/format";

export function use(): Promise<void> {
  const suites: readonly AlgorithmSuite[] = Object.values(ALGORITHM_SUITES);
  assert.ok(suites.length > 5);
  const limits: MessageLimits = DEFAULT_LIMITS;
  assert.ok(Object.isFrozen(limits) || Object.keys(limits).length > 0);
  return Promise.resolve();
}

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error there is no such suite
  "ALG_NOTHING" satisfies AlgorithmSuiteName;
  // @ts-expect-error limits are numbers
  ({ ...DEFAULT_LIMITS }) satisfies Record<keyof MessageLimits, string>;
}
