/**
 * Processes that end, and stores that fail, at every fourth of their calls, each kind of failure at others; the long form
 * has every one.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { failInTurn } from "./support/crashes.ts";
import { FAULTS } from "./support/faults.ts";

for (const [index, fault] of FAULTS.entries())
  test(`a store's call that ${fault}, every fourth in turn`, async () => {
    const calls = await failInTurn(fault, { from: index + 1, step: FAULTS.length });
    assert.ok(calls > 100, "there are many calls");
  });
