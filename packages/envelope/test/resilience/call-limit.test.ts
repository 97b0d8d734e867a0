/** The limit of calls at once, against a model, under random starts and ends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CallLimit } from "../../src/resilience/call-limit.ts";
import { RESILIENCE_DEFAULTS } from "../../src/resilience/settings.ts";

const RULES = RESILIENCE_DEFAULTS;

function full(limit: CallLimit): void {
  while (limit.hasRoom) limit.begin();
}

describe("the call limit", () => {
  test("has room for as many calls as it says, and for another when one ends", () => {
    const limit = new CallLimit(RULES);
    full(limit);
    assert.equal(limit.underWay, RULES.callsAtOnce);
    limit.end(0, "other", 1);
    assert.ok(limit.hasRoom);
  });

  test("grows by about one for each limit's worth of answers, but only while it is used up", () => {
    const limit = new CallLimit(RULES);
    for (let call = 0; call < 1_000; call++) {
      limit.begin();
      limit.end(call, "answered", call);
    }
    assert.equal(limit.limit, RULES.callsAtOnce);
    full(limit);
    for (let call = 0; call < RULES.callsAtOnce + 1; call++) {
      limit.end(call, "answered", call);
      limit.begin();
    }
    assert.equal(limit.limit, RULES.callsAtOnce + 1);
  });

  test("shrinks once for all calls that were under way together", () => {
    const limit = new CallLimit(RULES);
    full(limit);
    for (let call = 0; call < RULES.callsAtOnce; call++) limit.end(0, "unanswered", 750);
    assert.equal(limit.limit, Math.floor(RULES.callsAtOnce * 0.7));
  });
});

type Command = fc.Command<{ now: number; readonly underWay: number[]; loweredAt: number }, CallLimit>;

const begin: Command = {
  check: () => true,
  run(model, real) {
    assert.equal(real.hasRoom, model.underWay.length < real.limit);
    if (!real.hasRoom) return;
    real.begin();
    model.underWay.push(model.now);
  },
  toString: () => "begin",
};

const end = (which: number, outcome: "answered" | "unanswered" | "other", ms: number): Command => ({
  check: (model) => model.underWay.length > 0,
  run(model, real) {
    model.now += ms;
    const before = real.limit;
    const [startedAt = 0] = model.underWay.splice(which % model.underWay.length, 1);
    real.end(startedAt, outcome, model.now);
    assert.equal(real.underWay, model.underWay.length);
    assert.ok(real.limit >= RULES.callsAtOnceMin && real.limit <= RULES.callsAtOnceMax);
    if (outcome === "other") assert.equal(real.limit, before);
    if (outcome === "answered") assert.ok(real.limit === before || real.limit === before + 1);
    if (outcome === "unanswered" && startedAt < model.loweredAt) assert.equal(real.limit, before);
    else if (outcome === "unanswered") {
      assert.ok(real.limit < before || before === RULES.callsAtOnceMin);
      model.loweredAt = model.now;
    }
  },
  toString: () => `end ${outcome} after ${ms}`,
});

test("under any sequence it stays within its bounds, counts right, and falls once for each wave of silence", () => {
  const outcome = fc.constantFrom("answered", "unanswered", "other");
  const commands = fc.commands(
    [fc.constant(begin), fc.constant(begin), fc.tuple(fc.nat(50), outcome, fc.nat(800)).map((args) => end(...args))],
    { size: "+1" },
  );
  fc.assert(
    fc.property(commands, (sequence) => {
      fc.modelRun(
        () => ({ model: { now: 0, underWay: [], loweredAt: -Infinity }, real: new CallLimit(RULES) }),
        sequence,
      );
    }),
    { numRuns: 400 },
  );
});
