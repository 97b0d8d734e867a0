import assert from "node:assert/strict";
import { test } from "node:test";
import { WitnessPublisher } from "../src/publisher.ts";
import type { SignedHead, Witness } from "../src/witness.ts";
import { GrownLog } from "./grown-log.ts";

/** A witness whose answers a test gives. */
class HeldWitness implements Witness {
  readonly name = "the witness";
  readonly pauseMs = 1000;
  readonly told: number[] = [];
  answer: (error?: Error) => void = () => undefined;

  record(head: SignedHead): Promise<void> {
    this.told.push(head.checkpoint.size);
    return new Promise((resolve, reject) => {
      this.answer = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  examine(): Promise<{ readonly kind: "nothing" }> {
    return Promise.resolve({ kind: "nothing" });
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one state at a time, the newest only, a pause between two, and the rest at the end", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [witness, log, events] = [new HeldWitness(), new GrownLog().grow(1), [] as string[]];
  const publisher = new WitnessPublisher(witness, log.head(), {
    seen: null,
    onAway: (name, error) => events.push(`${name} is away: ${(error as Error).message}`),
    onBack: (name) => events.push(`${name} is back`),
  });
  publisher.publish(log.head());
  for (let index = 0; index < 5; index++) publisher.publish(log.grow(1).head());
  assert.deepEqual([witness.told, publisher.state, publisher.told], [[1], "behind", -1]);
  witness.answer();
  await settled();
  assert.deepEqual([witness.told, publisher.told], [[1], 1]);
  t.mock.timers.tick(999);
  assert.deepEqual(witness.told, [1]);
  t.mock.timers.tick(1);
  assert.deepEqual(witness.told, [1, 6]);
  witness.answer(new Error("the disk is full"));
  await settled();
  assert.equal(publisher.state, "away");
  t.mock.timers.tick(9999);
  assert.deepEqual(witness.told, [1, 6]);
  t.mock.timers.tick(1);
  witness.answer(new Error("the disk is full still"));
  await settled();
  t.mock.timers.tick(10_000);
  witness.answer();
  await settled();
  assert.deepEqual([publisher.state, witness.told], ["current", [1, 6, 6, 6]]);
  assert.deepEqual(events, ["the witness is away: the disk is full", "the witness is back"]);
  publisher.publish(log.grow(1).head());
  const closing = publisher.close();
  await settled();
  witness.answer();
  await closing;
  assert.deepEqual(witness.told, [1, 6, 6, 6, 7]);
});

test("one that was away when it was looked at is away until it has taken something", async () => {
  const [witness, log, events] = [new HeldWitness(), new GrownLog().grow(1), [] as string[]];
  const publisher = new WitnessPublisher(witness, log.head(), {
    seen: { kind: "away", reason: "it is not mounted" },
    onAway: () => events.push("away"),
    onBack: () => events.push("back"),
  });
  assert.equal(publisher.state, "away");
  publisher.publish(log.head());
  assert.equal(publisher.state, "away", "while it is being told");
  witness.answer(new Error("it is not mounted still"));
  await settled();
  assert.deepEqual([publisher.state, events], ["away", ["away"]]);
  const closing = publisher.close();
  await settled();
  witness.answer();
  await closing;
  assert.deepEqual([publisher.state, publisher.told, events], ["current", 1, ["away", "back"]]);
});
