import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../src/drill/figures.ts";
import { startLoad } from "../../src/drill/load.ts";
import { until } from "../support/installation.ts";

const READ: Call = { kind: "read", outcome: "ok", code: null, startedAt: 0, elapsedMs: 1 };
const WRITE: Call = { ...READ, kind: "write", outcome: "ok", stored: 3, missing: [], isNew: true };
const clock = (): number => performance.now();

/** What is asked under a seed, read or write, and the load's calls after it was stopped. */
async function asked(seed: number, count: number): Promise<readonly string[]> {
  const order: string[] = [];
  const note =
    <Kind extends Call>(kind: string, call: Kind) =>
    async (): Promise<Kind> => {
      order.push(kind);
      return call;
    };
  const load = startLoad({
    records: { read: note("read", READ as never), write: note("write", WRITE as never) },
    rate: 1000,
    writeShare: 0.2,
    seed,
    clock,
  });
  await until(() => order.length >= count);
  await load.stop();
  assert.equal(load.calls.length, order.length);
  return order.slice(0, count);
}

describe("the load of a drill", () => {
  it("goes on while nobody answers, and waits for what is under way when it is stopped", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
    let sent = 0;
    const silent = async (): Promise<never> => {
      sent++;
      await answered;
      return READ as never;
    };
    const load = startLoad({ records: { read: silent, write: silent }, rate: 500, writeShare: 0.5, seed: 1, clock });
    await until(() => sent >= 20);
    assert.equal(load.calls.length, 0);
    const stopped = load.stop();
    answer(undefined);
    await stopped;
    assert.equal(load.calls.length, sent);
  });

  it("asks the same under the same seed, and one in five is a write", async () => {
    const first = await asked(7, 200);
    assert.deepEqual(await asked(7, 200), first);
    assert.notDeepEqual(await asked(8, 200), first);
    const share = first.filter((kind) => kind === "write").length / first.length;
    assert.ok(share > 0.1 && share < 0.3, `${share}`);
  });

  it("leaves out what was interrupted, and throws what nobody expected", async () => {
    const interrupted = startLoad({
      records: { read: async () => null, write: async () => null },
      rate: 100,
      writeShare: 0.2,
      seed: 1,
      clock,
    });
    await interrupted.stop();
    assert.deepEqual(interrupted.calls, []);
    const broken = startLoad({
      records: {
        read: () => Promise.reject(new TypeError("a defect")),
        write: () => Promise.reject(new TypeError("a defect")),
      },
      rate: 100,
      writeShare: 0.2,
      seed: 1,
      clock,
    });
    await assert.rejects(broken.stop(), /a defect/);
  });
});
