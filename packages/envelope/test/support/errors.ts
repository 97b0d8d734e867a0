/** Asserting on EnvelopeError codes. */
import assert from "node:assert/strict";
import { EnvelopeError } from "@strongroom/envelope";
import type { EnvelopeErrorCode } from "@strongroom/envelope";

/** Waits for the rejection, which must be an EnvelopeError with this code, and returns it. */
export async function rejectsWith(promise: Promise<unknown>, code: EnvelopeErrorCode): Promise<EnvelopeError> {
  try {
    await promise;
  } catch (error) {
    return requireCode(error, code);
  }
  assert.fail(`expected ${code}, but nothing was thrown`);
}

export function throwsWith(action: () => unknown, code: EnvelopeErrorCode): EnvelopeError {
  try {
    action();
  } catch (error) {
    return requireCode(error, code);
  }
  assert.fail(`expected ${code}, but nothing was thrown`);
}

function requireCode(error: unknown, code: EnvelopeErrorCode): EnvelopeError {
  if (!(error instanceof EnvelopeError)) throw error;
  assert.equal(error.code, code, error.message);
  return error;
}
