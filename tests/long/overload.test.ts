/**
 * The service at 1, 3 and 10 times its capacity, and a burst of 5,000 requests, all regions healthy: what it can do it
 * goes on doing, the rest is refused with a time to come again, and load is not taken for a lost region.
 *
 * STRONGROOM_EARLIER names a checkout of an earlier revision: the same trial of it is printed above this one's.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { goodput, LoadTrial, type Round, tableOf } from "../support/load-trial.ts";

const SECONDS = 10;
const BURST = 5000;
/** The clients of a burst wait for as long as it takes. */
const BURST_PATIENCE_MS = 120_000;

/** The most that any number of clients got out of it, and then more than that. */
async function rounds(command?: string): Promise<readonly Round[]> {
  await using trial = await LoadTrial.start(command);
  await trial.load("warming", { kind: "clients", clients: 8, seconds: 3 });
  const capacity: Round[] = [];
  for (const clients of [8, 16])
    capacity.push(await trial.load(`${clients} clients`, { kind: "clients", clients, seconds: SECONDS / 2 }));
  const peak = Math.max(...capacity.map(goodput));
  const loads: Round[] = [];
  for (const times of [1, 3, 10])
    loads.push(await trial.load(`${times}x`, { kind: "rate", perSecond: peak * times, seconds: SECONDS }));
  const burst = await trial.load(`burst of ${BURST}`, { kind: "burst", requests: BURST }, BURST_PATIENCE_MS);
  return [...capacity, ...loads, burst];
}

test("at ten times its capacity the service does what it can, and no region is taken for lost", async (t) => {
  const earlier = process.env["STRONGROOM_EARLIER"];
  if (earlier !== undefined)
    t.diagnostic(`earlier:\n${tableOf(await rounds(join(earlier, "packages/cli/bin/strongroom.js")))}`);
  const now = await rounds();
  t.diagnostic(`now:\n${tableOf(now)}`);
  const peak = Math.max(...now.slice(0, 2).map(goodput));
  for (const round of now) {
    assert.equal(round.opened, 0, `${round.name}: a breaker opened`);
    assert.equal(round.owed, 0, `${round.name}: wraps are owed`);
    assert.equal(round.retryAfter.missing, 0, `${round.name}: a refusal does not say when to come again`);
    const codes = Object.keys(round.others).filter((what) => !/^(503 overloaded|429 token-limit)$/.test(what));
    assert.deepEqual(codes, [], `${round.name}: something else than a refusal`);
  }
  for (const round of now.filter(({ name }) => /^(3|10)x$/.test(name)))
    assert.ok(goodput(round) >= 0.8 * peak, `${round.name}: ${goodput(round)} of ${peak} a second`);
});
