/** The clock that stands still while the process does: with a machine of its own, and in a process that is kept busy. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { encrypt } from "@strongroom/envelope";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KmsClient } from "@strongroom/envelope/aws-kms";
import { ListeningClock } from "../../src/resilience/listening-clock.ts";
import type { Machine } from "../../src/resilience/listening-clock.ts";
import { InMemoryKms } from "../support/in-memory-kms.ts";

/** A process whose turns of the event loop take as long as they are told to. */
class TurningMachine implements Machine {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  readonly #listened = new Set<() => void>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, _mode: unknown, callback: () => void): () => void {
    const timer = { at: this.#now + Math.ceil(delayMs), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  afterListening(callback: () => void): () => void {
    this.#listened.add(callback);
    return () => this.#listened.delete(callback);
  }

  /** One turn: time passes, then the timers that are due are heard, then whatever had arrived. */
  turn(ms: number): void {
    this.#now += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
    for (const callback of [...this.#listened]) if (this.#listened.delete(callback)) callback();
  }

  get timers(): number {
    return this.#timers.size;
  }
}

function turns(machine: TurningMachine, count: number, ms: number): void {
  for (let turn = 0; turn < count; turn++) machine.turn(ms);
}

describe("the clock", () => {
  test("is the machine's while the process keeps up", () => {
    const machine = new TurningMachine();
    const clock = new ListeningClock(machine, 25);
    let firedAt: number | null = null;
    clock.after(750, () => {
      firedAt = machine.now();
    });
    turns(machine, 1_000, 1);
    assert.equal(firedAt, 750);
    assert.equal(clock.now(), 1_000);
  });

  test("does not count a stall, and gives what is waited for its time back", () => {
    const machine = new TurningMachine();
    const clock = new ListeningClock(machine, 25);
    const fired: string[] = [];
    clock.after(750, () => fired.push("attempt"));
    clock.after(2_000, () => fired.push("deadline"));
    turns(machine, 5, 1);
    machine.turn(5_000);
    assert.deepEqual(fired, []);
    assert.ok(clock.now() <= 5 + 50, `${clock.now()}`);
    turns(machine, 650, 1);
    assert.deepEqual(fired, []);
    turns(machine, 100, 1);
    assert.deepEqual(fired, ["attempt"]);
    turns(machine, 1_300, 1);
    assert.deepEqual(fired, ["attempt", "deadline"]);
  });

  test("never goes back, and never ahead of the machine's, however long the turns are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.boolean()), { maxLength: 200 }),
        (sequence) => {
          const machine = new TurningMachine();
          const clock = new ListeningClock(machine, 25);
          let last = 0;
          for (const [ms, set] of sequence) {
            if (set) clock.after(ms, () => undefined);
            const before = clock.now();
            machine.turn(ms);
            assert.ok(clock.now() >= before && before >= last && clock.now() <= machine.now());
            last = before;
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("wakes nobody when no timer is set", () => {
    const machine = new TurningMachine();
    const clock = new ListeningClock(machine, 25);
    const cancel = clock.after(100, () => assert.fail("it was cancelled"));
    turns(machine, 20, 1);
    cancel();
    cancel();
    turns(machine, 200, 1);
    assert.equal(machine.timers, 0);
  });
});

/** Its answers take some turns of the event loop to be heard, as those over a socket do. */
function overASocket(kms: InMemoryKms): KmsClient {
  const heard = async <T>(answer: Promise<T>): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return answer;
  };
  return {
    generateDataKey: (input) => heard(kms.generateDataKey(input)),
    encrypt: (input) => heard(kms.encrypt(input)),
    decrypt: (input) => heard(kms.decrypt(input)),
    describeKey: (input) => heard(kms.describeKey(input)),
  };
}

test("a process that computes for long takes no region for lost, and owes none a wrap", async () => {
  const kms = ["eu-west-1", "eu-west-2", "eu-central-1"].map((name) => new InMemoryKms(name));
  const keyring = multiRegionKeyring({
    regions: kms.map((each) => ({ ...each.asRegion, client: overASocket(each) })),
    minimum: 2,
    attemptTimeoutMs: 150,
    stragglerMinMs: 100,
    hedgeMaxMs: 50,
    deadlineMs: 1_000,
    breakerStrikes: 1,
  });
  const writes: ReturnType<typeof encrypt>[] = [];
  for (let round = 0; round < 4; round++) {
    for (let write = 0; write < 5; write++)
      writes.push(encrypt(Buffer.from("a name"), { keyring, encryptionContext: { id: `${write}` } }));
    // Once before the first call is answered, once between the data key and the wraps.
    await new Promise((resolve) => setTimeout(resolve, round * 4));
    for (const until = performance.now() + 500; performance.now() < until;);
  }
  for (const { wraps } of await Promise.all(writes)) assert.deepEqual(wraps?.missing, []);
  for (const { breaker, failures } of keyring.health()) assert.deepEqual([breaker.state, failures], ["closed", 0]);
});
