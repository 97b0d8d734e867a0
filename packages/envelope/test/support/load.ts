/**
 * 200 requests a second on three simulated regions, in virtual time: what is promised under load must not depend on
 * what else the machine does.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decrypt, encrypt } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { encryptionContext, fleetOf, plaintext, warm } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { FAULT_NAMES } from "./simulated-region.ts";
import type { FaultName } from "./simulated-region.ts";

const PER_SECOND = 200;
const CYCLE_SECONDS = 10;
/** Reads at once at the end: all of them together would be an overload of their own. */
const BATCH = 20;
const MINIMUM = 2;
const { deadlineMs } = MULTI_REGION_DEFAULTS;

export interface Counts {
  readonly reads: number[];
  readonly writes: number[];
  readonly failedReads: unknown[];
  refusedWrites: number;
}

/** Requests at a steady rate, a fifth of them writes; `each` is told of every second that begins. */
export async function load(
  fleet: Fleet,
  messages: Uint8Array[],
  seconds: number,
  each: (second: number) => void,
): Promise<Counts> {
  const counts: Counts = { reads: [], writes: [], failedReads: [], refusedWrites: 0 };
  const running: Promise<void>[] = [];
  const { keyring, time } = fleet;
  const write = async (): Promise<void> => {
    const startedAt = time.now();
    const { message, wraps } = await encrypt(plaintext, { keyring, encryptionContext });
    assert.ok((wraps?.stored.length ?? 0) >= MINIMUM, "acknowledged below the minimum");
    messages.push(message);
    counts.writes.push(time.now() - startedAt);
  };
  const read = async (message: Uint8Array): Promise<void> => {
    const startedAt = time.now();
    await decrypt(message, { keyring, encryptionContext });
    counts.reads.push(time.now() - startedAt);
  };
  for (let request = 0; request < PER_SECOND * seconds; request++) {
    if (request % PER_SECOND === 0) each(request / PER_SECOND);
    const message = messages[(request * 7_919) % messages.length];
    assert.ok(message !== undefined);
    running.push(
      request % 5 === 0
        ? write().catch(() => {
            counts.refusedWrites += 1;
          })
        : read(message).catch((error: unknown) => {
            counts.failedReads.push(error);
          }),
    );
    await time.advance(1_000 / PER_SECOND);
  }
  await time.run(Promise.all(running));
  return counts;
}

const percentile = (values: readonly number[], fraction: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * fraction)] ?? 0;

export async function busyFleet(): Promise<{ readonly fleet: Fleet; readonly messages: Uint8Array[] }> {
  const fleet = fleetOf([5, 40, 70], { minimum: MINIMUM });
  const messages = [await warm(fleet)];
  // Each region is a machine of its own that serves 500 calls a second.
  for (const each of fleet.regions) each.machine = { serviceMs: 2, busyUntil: 0 };
  return { fleet, messages };
}

/**
 * A region lost for five of every ten seconds, which one and how drawn from `seed`. Asserts that no read failed, no
 * write was refused or lost, and the deadline held; gives lines that tell how it went.
 */
export async function loadWithOutages(seed: number, cycles: number): Promise<readonly string[]> {
  const { fleet, messages } = await busyFleet();
  const draw = fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...FAULT_NAMES)), { minLength: cycles, maxLength: cycles });
  const outages = fc.sample(draw, { seed, numRuns: 1 })[0] as readonly (readonly [number, FaultName])[];
  const counts = await load(fleet, messages, cycles * CYCLE_SECONDS, (second) => {
    const [index, fault] = outages[Math.floor(second / CYCLE_SECONDS)] ?? [0, null];
    const lost = fleet.regions[index];
    assert.ok(lost !== undefined);
    if (second % CYCLE_SECONDS === 2) lost.fault = fault;
    if (second % CYCLE_SECONDS === 7) lost.fault = null;
  });
  assert.deepEqual(counts.failedReads.slice(0, 3), []);
  assert.equal(counts.refusedWrites, 0, "two of three regions were always well, and two are the minimum");
  assert.ok(Math.max(...counts.reads, ...counts.writes) <= deadlineMs);
  for (let first = 0; first < messages.length; first += BATCH) {
    const reads = messages
      .slice(first, first + BATCH)
      .map((message) => decrypt(message, { keyring: fleet.keyring, encryptionContext }));
    await fleet.time.run(Promise.all(reads));
  }
  const summary = (values: readonly number[]): string =>
    `${values.length}, p50 ${percentile(values, 0.5)} p99 ${percentile(values, 0.99)} longest ${Math.max(...values)} ms`;
  return [
    outages.map(([index, fault]) => `region ${index + 1} ${fault}`).join(", "),
    `reads ${summary(counts.reads)}; writes ${summary(counts.writes)}`,
    JSON.stringify(fleet.keyring.counters()),
  ];
}
