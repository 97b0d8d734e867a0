/** How many calls a region gets: the token bucket after throttling, and the limit of calls at once. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CallLimit, ThrottleBucket } from "../../src/resilience/call-limits.ts";
import { RESILIENCE_DEFAULTS } from "../../src/resilience/settings.ts";

const RULES = RESILIENCE_DEFAULTS;

/** A bucket that saw `rate` calls in the second before time 1,000 and is throttled then. */
function throttledAt(rate: number): ThrottleBucket {
  const bucket = new ThrottleBucket(RULES);
  for (let call = 0; call < rate; call++) bucket.take((call * 1_000) / rate);
  bucket.throttled(1_000);
  return bucket;
}

describe("the throttle bucket", () => {
  test("limits nothing before the first throttled answer", () => {
    const bucket = new ThrottleBucket(RULES);
    for (let now = 0; now < 100; now++) {
      assert.ok(bucket.ready(now));
      bucket.take(now);
    }
    assert.equal(bucket.rate(100), null);
  });

  test("allows half of what was too much", () => {
    assert.equal(throttledAt(200).rate(1_000), 100);
  });

  test("never allows less than the minimum, so that the end is noticed", () => {
    const bucket = throttledAt(1);
    for (let now = 1_000; now < 20_000; now += 1_000) bucket.throttled(now);
    assert.equal(bucket.rate(20_000), RULES.throttleMinRate);
    assert.ok(bucket.ready(20_000 + 1_000 / RULES.throttleMinRate));
  });

  test("counts the throttled answers of calls that were in flight together once", () => {
    const bucket = throttledAt(200);
    for (let answer = 0; answer < 50; answer++) bucket.throttled(1_010 + answer);
    assert.equal(bucket.ready(1_060), false);
    assert.equal(bucket.rate(1_100), 100);
  });

  test("saves up half a second's calls at most, so that a pause is not followed by a burst", () => {
    const bucket = throttledAt(200);
    let burst = 0;
    for (; bucket.ready(4_000); burst++) bucket.take(4_000);
    assert.equal(burst, 50);
  });

  test("grows with successes and steps aside once it was calm", () => {
    const bucket = throttledAt(20);
    bucket.succeeded(1_500);
    assert.equal(bucket.rate(1_500), 10 + RULES.throttleGain);
    assert.equal(bucket.rate(1_000 + RULES.throttleCalmMs - 1), 10 + RULES.throttleGain);
    assert.equal(bucket.rate(1_000 + RULES.throttleCalmMs), null);
  });
});

/** What the model keeps: all that was admitted since the last limit began, and the highest rate since. */
interface Model {
  now: number;
  limited: boolean;
  limitedAt: number;
  admitted: number;
  highestRate: number;
}

type Command = fc.Command<Model, ThrottleBucket>;

function observe(model: Model, real: ThrottleBucket): void {
  const rate = real.rate(model.now);
  assert.equal(rate === null, !model.limited, "limited exactly while throttled lately");
  if (rate === null) return;
  assert.ok(rate >= RULES.throttleMinRate);
  model.highestRate = Math.max(model.highestRate, rate);
}

const advance = (ms: number): Command => ({
  check: () => true,
  run(model, real) {
    model.now += ms;
    if (model.now - model.limitedAt >= RULES.throttleCalmMs) model.limited = false;
    observe(model, real);
  },
  toString: () => `advance ${ms} ms`,
});

const call: Command = {
  check: () => true,
  run(model, real) {
    if (!real.ready(model.now)) {
      assert.ok(model.limited);
      return;
    }
    real.take(model.now);
    model.admitted += 1;
    if (!model.limited) return;
    const seconds = (model.now - model.limitedAt) / 1_000;
    const most = seconds * model.highestRate + Math.max(1, model.highestRate / 2) + 1e-6;
    assert.ok(model.admitted <= most, `${model.admitted} calls in ${seconds} s at no more than ${model.highestRate}/s`);
  },
  toString: () => "call",
};

const success: Command = {
  check: () => true,
  run(model, real) {
    real.succeeded(model.now);
    observe(model, real);
  },
  toString: () => "success",
};

const throttled: Command = {
  check: () => true,
  run(model, real) {
    const before = real.rate(model.now);
    const together = model.limited && model.now - model.limitedAt < RULES.throttleWindowMs;
    real.throttled(model.now);
    const after = real.rate(model.now);
    assert.ok(after !== null);
    assert.equal(real.ready(model.now), false, "no call right after");
    if (together) assert.equal(after, before);
    else {
      if (before !== null) assert.equal(after, Math.max(RULES.throttleMinRate, before / 2));
      Object.assign(model, { limited: true, limitedAt: model.now, admitted: 0, highestRate: after });
    }
  },
  toString: () => "throttled",
};

test("under any sequence it admits no more than its rate allows, and ends", () => {
  const commands = fc.commands(
    [
      fc.integer({ min: 0, max: 200 }).map(advance),
      fc.integer({ min: 0, max: 7_000 }).map(advance),
      fc.constant(call),
      fc.constant(success),
      fc.constant(throttled),
    ],
    { size: "+1" },
  );
  fc.assert(
    fc.property(commands, (sequence) => {
      fc.modelRun(
        () => ({
          model: { now: 0, limited: false, limitedAt: -Infinity, admitted: 0, highestRate: 0 },
          real: new ThrottleBucket(RULES),
        }),
        sequence,
      );
    }),
    { numRuns: 600 },
  );
});

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

type LimitCommand = fc.Command<{ now: number; readonly underWay: number[]; loweredAt: number }, CallLimit>;

const begin: LimitCommand = {
  check: () => true,
  run(model, real) {
    assert.equal(real.hasRoom, model.underWay.length < real.limit);
    if (!real.hasRoom) return;
    real.begin();
    model.underWay.push(model.now);
  },
  toString: () => "begin",
};

const end = (which: number, outcome: "answered" | "unanswered" | "other", ms: number): LimitCommand => ({
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
