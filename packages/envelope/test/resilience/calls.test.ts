/** Races with staggered starts, and one call bounded in time, under virtual time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { staggeredRace, startCall, UNOBSERVED } from "../../src/resilience/calls.ts";
import type {
  CallRequest,
  CallAnswer,
  CallInProgress,
  CallObserver,
  Race,
  Contestant,
  StartReason,
} from "../../src/resilience/calls.ts";
import { VirtualTime } from "../support/virtual-time.ts";

/** `at`: when it settles after its start, null for never. `value`: what it wins with, null for a failure. */
interface Plan {
  readonly name: string;
  readonly at: number | null;
  readonly value: string | null;
  readonly patienceMs: number;
}

class Course {
  readonly time = new VirtualTime();
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  readonly discarded: string[] = [];
  /** When a contestant's call goes out; at once where nothing is said. */
  readonly sentAt = new Map<string, number>();
  readonly #hopeless = new Map<string, () => void>();
  hedging: "allowed" | "denied" = "allowed";

  race(plans: readonly Plan[], background: readonly Plan[] = []): Race<string> {
    const left = [...plans];
    const start = (reason: StartReason): Contestant<string> | null => {
      if (reason === "hedge" && this.hedging === "denied") return null;
      const plan = left.shift();
      return plan === undefined ? null : this.contestant(plan, reason);
    };
    return staggeredRace(
      { start, discard: (value) => this.discarded.push(value) },
      this.time,
      background.map((plan) => this.contestant(plan, "background")),
    );
  }

  contestant(plan: Plan, why: string): Contestant<string> {
    this.started.push(`${plan.name} ${why} ${this.time.now()}`);
    const { promise, resolve } = Promise.withResolvers<string | null>();
    let settled = false;
    const settle = (value: string | null): void => {
      settled = true;
      resolve(value);
    };
    if (plan.at !== null)
      this.time.after(plan.at, () => {
        settle(plan.value);
      });
    return {
      outcome: promise,
      patienceMs: plan.patienceMs,
      onSent: (callback) => {
        const sentAt = this.sentAt.get(plan.name);
        if (sentAt === undefined) callback();
        else this.time.after(sentAt, callback);
      },
      onHopeless: (callback) => {
        this.#hopeless.set(plan.name, callback);
        return () => this.#hopeless.delete(plan.name);
      },
      stop: () => {
        if (settled) return;
        this.stopped.push(plan.name);
        settle(null);
      },
    };
  }

  giveUp(name: string): void {
    this.#hopeless.get(name)?.();
  }
}

const plan = (name: string, at: number | null, value: string | null = name, patienceMs = 20): Plan => ({
  name,
  at,
  value,
  patienceMs,
});

describe("a staggered race", () => {
  test("asks only the first while it answers in time", async () => {
    const course = new Course();
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", 10), plan("b", 10)]).result);
    assert.deepEqual([value, elapsedMs, course.started], ["a", 10, ["a first 0"]]);
    assert.equal(course.time.pending, 0);
  });

  test("goes to the next at once when one fails", async () => {
    const course = new Course();
    const { value, elapsedMs } = await course.time.run(
      course.race([plan("a", 5, null), plan("b", 5, null), plan("c", 7)]).result,
    );
    assert.deepEqual([value, elapsedMs, course.started], ["c", 17, ["a first 0", "b failover 5", "c failover 10"]]);
  });

  test("starts another beside one that keeps it waiting, and stops the slower", async () => {
    const course = new Course();
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", null), plan("b", 40)]).result);
    assert.deepEqual([value, elapsedMs, course.stopped], ["b", 60, ["a"]]);
  });

  test("lets the first win when it is still faster than its company", async () => {
    const course = new Course();
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", 30), plan("b", 40)]).result);
    assert.deepEqual([value, elapsedMs, course.stopped], ["a", 30, ["b"]]);
  });

  test("does not start a third because an older one failed", async () => {
    const course = new Course();
    await course.time.run(course.race([plan("a", 25, null), plan("b", 15), plan("c", 1)]).result);
    assert.deepEqual(course.started, ["a first 0", "b hedge 20"]);
  });

  test("counts its patience from when a call has gone out: one that waits in our own queue gets no company", async () => {
    const course = new Course();
    course.sentAt.set("a", 500);
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", 530), plan("b", 5)]).result);
    assert.deepEqual([value, elapsedMs, course.started.slice(1)], ["b", 525, ["b hedge 520"]]);
  });

  test("waits on when a hedge is denied, and goes on at its failure", async () => {
    const course = new Course();
    course.hedging = "denied";
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", 100, null), plan("b", 5)]).result);
    assert.deepEqual([value, elapsedMs], ["b", 105]);
  });

  test("goes on at once when the one it waits for is given up, without a hedge", async () => {
    const course = new Course();
    course.hedging = "denied";
    const race = course.race([plan("a", null), plan("b", 5)]);
    course.time.after(40, () => {
      course.giveUp("a");
    });
    const { elapsedMs } = await course.time.run(race.result);
    assert.deepEqual([elapsedMs, course.started[1]], [45, "b failover 40"]);
  });

  test("ends with nothing when all fail, or when there is nobody", async () => {
    const course = new Course();
    assert.equal((await course.time.run(course.race([plan("a", 5, null), plan("b", 5, null)]).result)).value, null);
    assert.equal((await course.time.run(course.race([]).result)).value, null);
  });

  test("takes what runs in the background if it is faster, and leaves it alone if not", async () => {
    const faster = new Course();
    assert.equal((await faster.time.run(faster.race([plan("a", 40)], [plan("probe", 5)]).result)).value, "probe");
    const slower = new Course();
    assert.equal((await slower.time.run(slower.race([plan("a", 10)], [plan("probe", 500)]).result)).value, "a");
    await slower.time.advance(600);
    assert.deepEqual([slower.stopped, slower.discarded], [[], ["probe"]]);
  });

  test("waits for the background when everybody else failed", async () => {
    const course = new Course();
    const { value, elapsedMs } = await course.time.run(course.race([plan("a", 5, null)], [plan("probe", 50)]).result);
    assert.deepEqual([value, elapsedMs], ["probe", 50]);
  });

  test("stopped, it stops everybody and ends with nothing", async () => {
    const course = new Course();
    const race = course.race([plan("a", null), plan("b", null)], [plan("probe", null)]);
    await course.time.advance(30);
    race.stop();
    assert.equal(await race.result, null);
    assert.deepEqual(course.stopped.sort(), ["a", "b", "probe"]);
    assert.equal(course.time.pending, 0);
  });
});

test("whoever takes part: it ends, the first value wins, and no value and no timer is left behind", async () => {
  const contestant = fc.record({
    at: fc.option(fc.integer({ min: 0, max: 300 }), { nil: null, freq: 4 }),
    ok: fc.boolean(),
    patienceMs: fc.integer({ min: 1, max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(contestant, { maxLength: 6 }),
      fc.array(contestant, { maxLength: 2 }),
      fc.boolean(),
      async (field, side, hedging) => {
        const course = new Course();
        if (!hedging) course.hedging = "denied";
        const plans = (list: typeof field, prefix: string): Plan[] =>
          list.map(({ at, ok, patienceMs }, index) =>
            plan(`${prefix}${index}`, at, ok ? `${prefix}${index}` : null, patienceMs),
          );
        const race = course.race(plans(field, "f"), plans(side, "s"));
        course.time.after(5_000, () => {
          race.stop();
        });
        const { value } = await course.time.run(race.result);
        await course.time.advance(6_000);
        const honest = field.some(({ at, ok }) => ok && at !== null);
        const silent = field.some(({ at }) => at === null);
        if (honest && (hedging || !silent)) assert.ok(value !== null, "a contestant that answers is always reached");
        assert.equal(
          new Set(course.started.map((line) => line.split(" ")[0])).size,
          course.started.length,
          "nobody runs twice",
        );
        if (value !== null) assert.ok(!course.discarded.includes(value));
        assert.equal(course.time.pending, 0);
      },
    ),
    { numRuns: 300 },
  );
});

describe("a call", () => {
  interface Observed extends CallObserver {
    readonly log: string[];
  }

  function observer(whenFree: CallObserver["whenFree"] = (go) => UNOBSERVED.whenFree(go)): Observed {
    const log: string[] = [];
    return {
      log,
      whenFree,
      standingReason: "throttled",
      hadTime: () => true,
      began: () => void log.push("began"),
      answered: () => void log.push("answered"),
      failed: (reason) => void log.push(`failed: ${reason}`),
      stopped: (why) => void log.push(`stopped: ${why}`),
    };
  }

  function callOf(
    send: CallRequest<string>["send"],
    accepts?: CallRequest<string>["accepts"],
  ): CallRequest<string> & { lost: string[] } {
    const lost: string[] = [];
    const discard = (value: string): void => void lost.push(value);
    return { region: "eu-west-1", keyArn: "arn", operation: "Decrypt", send, discard, accepts, lost };
  }

  const started = (
    call: CallRequest<string>,
    observed: CallObserver,
  ): { readonly time: VirtualTime; readonly running: CallInProgress<string> } => {
    const time = new VirtualTime();
    return { time, running: startCall(call, { time, timeoutMs: 100, observer: observed }) };
  };

  const reasonOf = async (running: CallInProgress<string>): Promise<unknown> => {
    const result = await running.result;
    return result.kind === "failed" ? result.attempt.reason : result.kind;
  };

  test("gives what it was answered, and reports it once", async () => {
    const observed = observer();
    const { time, running } = started(
      callOf(async () => ({ value: "answer" })),
      observed,
    );
    assert.deepEqual((await time.run(running.result)).value, { kind: "done", value: "answer" });
    running.stop("aborted");
    assert.deepEqual(observed.log, ["began", "answered"]);
  });

  test("ends at its time-out over a client that ignores its signal; what comes later is discarded", async () => {
    const observed = observer();
    const late = Promise.withResolvers<CallAnswer<string>>();
    let signal: AbortSignal | undefined;
    const call = callOf((abortSignal) => {
      signal = abortSignal;
      return late.promise;
    });
    const { time, running } = started(call, observed);
    const { elapsedMs } = await time.run(running.result);
    assert.equal(elapsedMs, 100);
    assert.equal(await reasonOf(running), "timeout");
    assert.equal(signal?.aborted, true);
    late.resolve({ value: "late" });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(call.lost, ["late"]);
    assert.deepEqual(observed.log, ["began", "failed: timeout"]);
  });

  test("a value that is not accepted is discarded and fails the call, as does one that cannot be judged", async () => {
    for (const [accepts, reason] of [
      [() => false, "wrong-data-key"],
      [
        () => {
          throw new Error("no");
        },
        "unknown",
      ],
    ] as const) {
      const observed = observer();
      const call = callOf(async () => ({ value: "lie" }), accepts);
      const { time, running } = started(call, observed);
      await time.run(running.result);
      assert.equal(await reasonOf(running), reason);
      assert.deepEqual(call.lost, ["lie"]);
      assert.deepEqual(observed.log, ["began", `failed: ${reason}`]);
    }
  });

  test("what rejects or throws fails the call and nobody else", async () => {
    for (const send of [
      () => Promise.reject(new Error("no")),
      () => {
        throw new Error("no");
      },
    ]) {
      const { time, running } = started(callOf(send), observer());
      await time.run(running.result);
      assert.equal(await reasonOf(running), "unknown");
    }
  });

  test("one that never went out failed by what held it back, and is taken back", async () => {
    let takenBack = 0;
    const observed = observer(() => () => {
      takenBack += 1;
    });
    const { time, running } = started(
      callOf(async () => ({ value: "answer" })),
      observed,
    );
    await time.run(running.result);
    assert.equal(await reasonOf(running), "throttled");
    assert.equal(takenBack, 1);
    assert.deepEqual(observed.log, []);
  });

  /** One that waits until it is let go. */
  function waiting(standingReason: CallObserver["standingReason"]): {
    readonly observed: Observed;
    readonly letGo: () => void;
  } {
    let go: () => void = () => undefined;
    const observed = observer((begin) => {
      go = begin;
      return () => undefined;
    });
    return {
      observed: { ...observed, standingReason },
      letGo: () => {
        go();
      },
    };
  }

  test("one that waits for our own limits has all its time from when it goes out", async () => {
    const { observed, letGo } = waiting("busy");
    const sent: number[] = [];
    const { time, running } = started(
      callOf(() => new Promise(() => undefined)),
      observed,
    );
    running.onSent(() => sent.push(time.now()));
    time.after(450, letGo);
    const { elapsedMs } = await time.run(running.result);
    assert.equal(elapsedMs, 450 + 100);
    const result = await running.result;
    assert.ok(result.kind === "failed");
    assert.deepEqual([result.attempt.reason, result.attempt.elapsedMs, sent], ["timeout", 100, [450]]);
    running.onSent(() => sent.push(time.now()));
    assert.equal(sent.length, 2);
  });

  test("one that never went out for our own limits until the deadline says so, and is told to nobody", async () => {
    const { observed } = waiting("busy");
    const { time, running } = started(
      callOf(async () => ({ value: "answer" })),
      observed,
    );
    await time.advance(1_000);
    running.stop("deadline");
    assert.equal(await reasonOf(running), "busy");
    assert.deepEqual(observed.log, []);
    assert.equal(time.pending, 0);
  });

  test("one that went out late and had too little time left was kept by our own limits too", async () => {
    for (const hadTime of [false, true]) {
      const { observed, letGo } = waiting("busy");
      const { time, running } = started(
        callOf(() => new Promise(() => undefined)),
        { ...observed, hadTime: () => hadTime },
      );
      await time.advance(50);
      letGo();
      await time.advance(10);
      running.stop("deadline");
      assert.equal(await reasonOf(running), hadTime ? "timeout" : "busy");
    }
  });

  test("a stopped one says why it was, and is reported once", async () => {
    for (const [why, said] of [
      ["overtaken", "overtaken"],
      ["deadline", "timeout"],
      ["aborted", "aborted"],
    ] as const) {
      const observed = observer();
      const { running } = started(
        callOf(() => new Promise(() => undefined)),
        observed,
      );
      running.stop(why);
      running.stop("aborted");
      assert.equal(await reasonOf(running), said);
      assert.deepEqual(observed.log, ["began", `stopped: ${why}`]);
    }
  });
});
