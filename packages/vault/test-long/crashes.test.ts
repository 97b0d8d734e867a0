/**
 * Processes of a vault with an audit that end, and stores that fail, at every one of their calls.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { failInTurn } from "../test/audit/support/crashes.ts";
import { FAULTS } from "../test/audit/support/faults.ts";

for (const fault of FAULTS)
  test(`a store's call that ${fault}, each in turn`, async () => {
    assert.ok((await failInTurn(fault, { from: 1, step: 1 })) > 100, "there are many calls");
  });
