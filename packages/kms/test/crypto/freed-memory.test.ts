import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { IDLE_MS, IdleSweep } from "../../src/crypto/freed-memory.ts";

test("garbage is collected once, when no call has come for a while", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const collect = mock.fn();
  const sweep = new IdleSweep(collect);
  sweep.touch();
  t.mock.timers.tick(IDLE_MS - 1);
  assert.equal(collect.mock.callCount(), 0);
  t.mock.timers.tick(1);
  assert.equal(collect.mock.callCount(), 1);
  t.mock.timers.tick(10 * IDLE_MS);
  assert.equal(collect.mock.callCount(), 1, "not again before another call");
  sweep.touch();
  sweep.close();
  t.mock.timers.tick(10 * IDLE_MS);
  assert.equal(collect.mock.callCount(), 1);
});

test("the collector is there without a flag", () => {
  const sweep = new IdleSweep();
  sweep.touch();
  sweep.close();
});
