/** The circuit breaker against a model that keeps a plain history, under random calls and a virtual clock. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CircuitBreaker } from "../../src/resilience/circuit-breaker.ts";
import type { BreakerOutcome, BreakerRules, BreakerTicket } from "../../src/resilience/circuit-breaker.ts";
import { RESILIENCE_DEFAULTS } from "../../src/resilience/settings.ts";

const RULES: BreakerRules = RESILIENCE_DEFAULTS;
const SUCCESS: BreakerOutcome = { kind: "success" };
const FAILURE: BreakerOutcome = { kind: "failure", strikes: 1, probesToClose: 1 };
const LIE: BreakerOutcome = { kind: "failure", strikes: RULES.breakerStrikes, probesToClose: 3 };
const INCONCLUSIVE: BreakerOutcome = { kind: "inconclusive" };
/** The longest rest a jitter can give: what the promise about recovery must bear. */
const latest = (): number => 0.999_999;

function admitted(breaker: CircuitBreaker, now: number): BreakerTicket {
  const ticket = breaker.admit(now);
  assert.ok(ticket !== null, `no permission at ${now}`);
  return ticket;
}

function fail(breaker: CircuitBreaker, now: number, outcome: BreakerOutcome = FAILURE): void {
  breaker.report(admitted(breaker, now), outcome, now);
}

describe("a closed breaker", () => {
  test("opens at the third failure in a row and not before", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0);
    fail(breaker, 1);
    assert.equal(breaker.state, "closed");
    fail(breaker, 2);
    assert.equal(breaker.state, "open");
    assert.equal(breaker.admit(3), null);
  });

  test("forgets its strikes at a success", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0);
    fail(breaker, 1);
    fail(breaker, 2, SUCCESS);
    fail(breaker, 3);
    fail(breaker, 4);
    assert.equal(breaker.state, "closed");
  });

  test("is not moved by what says nothing about the region", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    for (let now = 0; now < 50; now++) fail(breaker, now, INCONCLUSIVE);
    assert.equal(breaker.state, "closed");
  });

  test("opens at once for a failure that weighs all strikes", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, LIE);
    assert.equal(breaker.state, "open");
  });
});

describe("an open breaker", () => {
  test("lets exactly one probe through after its rest", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, LIE);
    assert.equal(breaker.admit(RULES.breakerFirstRestMs * 0.79), null);
    assert.equal(admitted(breaker, RULES.breakerFirstRestMs).kind, "probe");
    assert.equal(breaker.admit(RULES.breakerFirstRestMs), null);
    assert.equal(breaker.state, "half-open");
  });

  test("closes at the probe's success, and rests longer after its failure", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, { ...LIE, probesToClose: 1 });
    fail(breaker, 1_000);
    assert.equal(breaker.state, "open");
    assert.equal(breaker.admit(2_500), null, "the second rest is longer");
    fail(breaker, 3_000, SUCCESS);
    assert.equal(breaker.state, "closed");
  });

  test("trusts a liar again after three honest answers, asked one after another without rest", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, LIE);
    for (let honest = 1; honest <= 3; honest++) {
      assert.notEqual(breaker.state, "closed");
      const probe = admitted(breaker, 1_000 + honest);
      assert.equal(breaker.admit(1_000 + honest), null, "one probe at a time");
      breaker.report(probe, SUCCESS, 1_000 + honest);
    }
    assert.equal(breaker.state, "closed");
  });

  test("takes the success of a last resort as a probe's, and ignores its failure", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, { ...LIE, probesToClose: 1 });
    const until = breaker.restUntil;
    const lost = breaker.lastResort(10);
    assert.equal(lost.kind, "last-resort");
    breaker.report(lost, FAILURE, 20);
    assert.equal(breaker.restUntil, until, "the next probe is not pushed away");
    breaker.report(breaker.lastResort(30), SUCCESS, 40);
    assert.equal(breaker.state, "closed");
  });

  test("ignores reports of calls that began before it opened", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    const early = admitted(breaker, 0);
    fail(breaker, 1, { ...LIE, probesToClose: 1 });
    breaker.report(early, SUCCESS, 2);
    assert.equal(breaker.state, "open");
  });

  test("gives a probe that never reports up after its lease", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, LIE);
    admitted(breaker, 1_000);
    assert.equal(breaker.admit(1_000 + RULES.breakerProbeLeaseMs - 1), null);
    assert.equal(admitted(breaker, 1_000 + RULES.breakerProbeLeaseMs).kind, "probe");
  });

  test("gives the probe back when it was inconclusive", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    fail(breaker, 0, LIE);
    breaker.report(admitted(breaker, 1_000), INCONCLUSIVE, 1_001);
    assert.equal(admitted(breaker, 1_002).kind, "probe");
  });

  test("is opened by an accusation whatever its state, and rests from then", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    breaker.trip(3, 5);
    assert.equal(breaker.state, "open");
    breaker.report(admitted(breaker, 1_005), INCONCLUSIVE, 1_006);
    breaker.trip(3, 1_007);
    assert.equal(breaker.admit(1_008), null);
  });

  test("starts with a short rest again after the region was stable", () => {
    const breaker = new CircuitBreaker(RULES, latest);
    let now = 0;
    for (let opening = 0; opening < 4; opening++) {
      fail(breaker, now, { ...LIE, probesToClose: 1 });
      now = (breaker.restUntil ?? 0) + 1;
      fail(breaker, now, SUCCESS);
    }
    fail(breaker, now + 10, { ...LIE, probesToClose: 1 });
    assert.ok((breaker.restUntil ?? 0) - (now + 10) > RULES.breakerFirstRestMs * 2, "flapping: a long rest");
    now = (breaker.restUntil ?? 0) + 1;
    fail(breaker, now, SUCCESS);
    now += RULES.breakerStableMs;
    fail(breaker, now, LIE);
    assert.ok((breaker.restUntil ?? 0) - now <= RULES.breakerFirstRestMs);
  });
});

/**
 * The model knows nothing of states: it keeps the reports that count and works out from them what must hold.
 * Its one derived fact is when the breaker last opened or closed, by the rules as documented.
 */
interface Model {
  now: number;
  readonly pending: BreakerTicket[];
  /** null while closed. */
  openedAt: number | null;
  closedAt: number;
  strikesInARow: number;
  successesToGo: number;
  probe: BreakerTicket | null;
}

type Command = fc.Command<Model, CircuitBreaker>;

class Advance implements Command {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = (): boolean => true;
  run(model: Model): void {
    model.now += this.ms;
  }
  toString = (): string => `advance ${this.ms} ms`;
}

class Ask implements Command {
  check = (): boolean => true;
  run(model: Model, real: CircuitBreaker): void {
    const foreseen = real.wouldAdmit(model.now);
    const ticket = real.admit(model.now);
    assert.equal(foreseen, ticket?.kind ?? "resting", "what is foreseen is what admit does");
    if (model.openedAt === null) assert.equal(ticket?.kind, "ordinary");
    const probing = model.probe !== null && model.now - model.probe.startedAt < RULES.breakerProbeLeaseMs;
    if (probing) assert.equal(ticket, null, "never a second probe");
    else if (model.openedAt !== null && model.now - model.openedAt >= RULES.breakerLongestRestMs) {
      assert.equal(ticket?.kind, "probe", "after the longest rest the next caller probes");
    }
    if (ticket?.kind === "probe") model.probe = ticket;
    if (ticket !== null) model.pending.push(ticket);
  }
  toString = (): string => "ask";
}

class LastResort implements Command {
  check = (model: Readonly<Model>): boolean => model.openedAt !== null;
  run(model: Model, real: CircuitBreaker): void {
    const ticket = real.lastResort(model.now);
    if (ticket.kind === "probe") model.probe = ticket;
    model.pending.push(ticket);
  }
  toString = (): string => "last resort";
}

class Report implements Command {
  readonly which: number;
  readonly outcome: BreakerOutcome;
  constructor(which: number, outcome: BreakerOutcome) {
    this.which = which;
    this.outcome = outcome;
  }
  check = (model: Readonly<Model>): boolean => model.pending.length > 0;
  run(model: Model, real: CircuitBreaker): void {
    const [ticket] = model.pending.splice(this.which % model.pending.length, 1);
    assert.ok(ticket !== undefined);
    const { outcome } = this;
    real.report(ticket, outcome, model.now);
    const wasProbe = model.probe === ticket;
    if (wasProbe) model.probe = null;
    const stale = ticket.startedAt < (model.openedAt ?? model.closedAt);
    if (!stale && outcome.kind === "success") this.#success(model);
    if (!stale && outcome.kind === "failure") this.#failure(model, outcome, wasProbe);
    assert.equal(real.state === "closed", model.openedAt === null);
    if (model.openedAt !== null) {
      const rest = (real.restUntil ?? Number.NaN) - model.openedAt;
      assert.ok(
        rest <= Math.max(RULES.breakerLongestRestMs, model.now - model.openedAt),
        "no rest is longer than the longest",
      );
    }
  }
  #success(model: Model): void {
    model.strikesInARow = 0;
    if (model.openedAt === null || --model.successesToGo > 0) return;
    model.openedAt = null;
    model.closedAt = model.now;
    model.probe = null;
  }
  #failure(model: Model, outcome: BreakerOutcome & { kind: "failure" }, wasProbe: boolean): void {
    if (model.openedAt === null) {
      model.strikesInARow += outcome.strikes;
      if (model.strikesInARow < RULES.breakerStrikes) return;
      model.successesToGo = outcome.probesToClose;
    } else if (wasProbe) {
      model.successesToGo = Math.max(model.successesToGo, outcome.probesToClose);
    } else return;
    model.openedAt = model.now;
    model.strikesInARow = 0;
    model.probe = null;
  }
  toString = (): string => `report ${this.outcome.kind}`;
}

test("under any interleaving of calls, reports and time it behaves as its model", () => {
  const outcome = fc.constantFrom(SUCCESS, FAILURE, FAILURE, FAILURE, LIE, INCONCLUSIVE);
  const commands = fc.commands(
    [
      fc.integer({ min: 0, max: 6_000 }).map((ms) => new Advance(ms)),
      fc.integer({ min: 0, max: 30 }).map((ms) => new Advance(ms)),
      fc.constant(new Ask()),
      fc.constant(new LastResort()),
      fc.tuple(fc.nat(9), outcome).map(([which, what]) => new Report(which, what)),
    ],
    { size: "+1" },
  );
  fc.assert(
    fc.property(commands, fc.double({ min: 0, max: 0.999, noNaN: true }), (sequence, jitter) => {
      const setup = () => ({
        model: {
          now: 0,
          pending: [],
          openedAt: null,
          closedAt: -Infinity,
          strikesInARow: 0,
          successesToGo: 0,
          probe: null,
        },
        real: new CircuitBreaker(RULES, () => jitter),
      });
      fc.modelRun(setup, sequence);
    }),
    { numRuns: 600 },
  );
});

test("a recovery is noticed within 5 s by one caller a second, however long the outage was", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (outageSeconds, jitter) => {
        const breaker = new CircuitBreaker(RULES, () => jitter);
        const recoveredAt = outageSeconds * 1_000;
        let calls = 0;
        for (let now = 0; ; now += 1_000) {
          const ticket = breaker.admit(now);
          if (ticket !== null) {
            calls += 1;
            breaker.report(ticket, now >= recoveredAt ? SUCCESS : FAILURE, now);
          }
          if (now >= recoveredAt && breaker.state === "closed") {
            assert.ok(now - recoveredAt <= 5_000, `noticed after ${now - recoveredAt} ms`);
            break;
          }
        }
        assert.ok(calls <= 6 + outageSeconds / 2, "probed, not flooded");
      },
    ),
    { numRuns: 200 },
  );
});
