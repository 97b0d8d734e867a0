/**
 * Assertions on the vault's errors.
 */
import assert from "node:assert/strict";
import { VaultError } from "@strongroom/vault";
import type { VaultErrorCode } from "@strongroom/vault";

/** The error of this code that `work` rejects with. */
export async function rejectsWith(code: VaultErrorCode, work: () => Promise<unknown>): Promise<VaultError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof VaultError, `expected a VaultError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected ${code}, but it succeeded`);
}

export function throwsWith(code: VaultErrorCode, work: () => unknown): VaultError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof VaultError, `expected a VaultError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected ${code}, but it succeeded`);
}
