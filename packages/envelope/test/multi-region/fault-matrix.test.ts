/**
 * Every fault in every choice of regions, in virtual time: what is promised holds to the millisecond, whatever the
 * machine is busy with. The same matrix over real HTTP is in test-long.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decrypt, encrypt, EnvelopeError } from "@strongroom/envelope";
import type { EncryptResult } from "@strongroom/envelope";
import { MULTI_REGION_DEFAULTS, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { FAULT_NAMES, FAULT_RULES, SimulatedRegion } from "../support/simulated-region.ts";
import type { FaultName } from "../support/simulated-region.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const encryptionContext = { id: "42" };
const plaintext = Buffer.from("a name and an address");
const { hedgeMinMs, stragglerFactor, stragglerMinMs, deadlineMs } = MULTI_REGION_DEFAULTS;

class Fleet {
  readonly time = new VirtualTime();
  readonly regions: readonly SimulatedRegion[];
  readonly keyring: MultiRegionKeyring;

  constructor(rtts: readonly number[], minimum: number) {
    this.regions = rtts.map((rtt, index) => new SimulatedRegion(this.time, `eu-west-${index + 1}`, rtt));
    this.keyring = multiRegionKeyring({
      regions: this.regions.map((region) => region.asRegion),
      minimum,
      // wrap-proofs.test.ts has the matrix of those.
      proveWraps: "off",
      time: this.time,
    });
  }

  /** Enough calls for every region's latency to be known. */
  async warmUp(): Promise<EncryptResult> {
    for (let write = 0; write < 10; write++) await this.write();
    for (const region of this.regions) {
      const others = this.regions.filter((other) => other !== region);
      for (const other of others) other.fault = "access-denied";
      const { value } = await this.write().catch(() => ({ value: null }));
      for (const other of others) other.fault = null;
      assert.ok(value === null || value.message.length > 0);
    }
    return (await this.write()).value;
  }

  write(): Promise<{ readonly value: EncryptResult; readonly elapsedMs: number }> {
    return this.time.run(encrypt(plaintext, { keyring: this.keyring, encryptionContext }));
  }

  async read(message: Uint8Array): Promise<number> {
    const { value, elapsedMs } = await this.time.run(decrypt(message, { keyring: this.keyring, encryptionContext }));
    assert.deepEqual(Buffer.from(value.plaintext), plaintext);
    return elapsedMs;
  }
}

const FLEETS = [
  { rtts: [5, 70], minimum: 1 },
  { rtts: [5, 40, 70], minimum: 1 },
] as const;

/** What one faulty region costs before the next one is asked. */
function cost(fault: FaultName, rtt: number): number {
  const { manner } = FAULT_RULES[fault];
  return manner === "silent" || manner === "slow" ? Math.max(hedgeMinMs, rtt) : rtt;
}

/** What one faulty region costs a write that has its minimum. */
function straggling(fault: FaultName, rtt: number): number {
  const { manner } = FAULT_RULES[fault];
  return manner === "silent" || manner === "slow" ? Math.max(stragglerMinMs, cost(fault, rtt) * stragglerFactor) : rtt;
}

/** Every way to pick at least one but not all of `count` regions. */
function choices(count: number): readonly (readonly number[])[] {
  const all: number[][] = [];
  for (let bits = 1; bits < 2 ** count - 1; bits++)
    all.push([...Array(count).keys()].filter((index) => (bits >> index) & 1));
  return all;
}

for (const { rtts, minimum } of FLEETS) {
  describe(`round trips of ${rtts.join(", ")} ms`, () => {
    for (const fault of FAULT_NAMES) {
      for (const faulty of choices(rtts.length)) {
        const name = `${fault} in region ${faulty.map((index) => index + 1).join(" and ")}`;
        const honest = rtts.findIndex((_, index) => !faulty.includes(index));
        const rttOf = (index: number): number => rtts[index] ?? 0;
        const before = faulty
          .filter((index) => index < honest)
          .reduce((sum, index) => sum + cost(fault, rttOf(index)), 0);

        test(`a read goes on: ${name}`, async () => {
          const fleet = new Fleet(rtts, minimum);
          const { message } = await fleet.warmUp();
          for (const index of faulty) fleet.regions[index]!.fault = fault;
          assert.ok((await fleet.read(message)) <= before + rttOf(honest) + 1);
          for (let again = 0; again < 3; again++) await fleet.read(message);
          const steady = await fleet.read(message);
          const skipped = FAULT_RULES[fault].manner !== "fails" || !["access-denied", "throttled"].includes(fault);
          if (skipped) assert.ok(steady <= rttOf(honest) + 10, `${steady} ms with the breaker open`);
        });

        test(`a write keeps what it can: ${name}`, async () => {
          const fleet = new Fleet(rtts, minimum);
          await fleet.warmUp();
          for (const index of faulty) fleet.regions[index]!.fault = fault;
          const { value, elapsedMs } = await fleet.write();
          const harmed = faulty.filter(
            (index) => FAULT_RULES[fault].write !== null || (index < honest && fault === "wrong-key-length"),
          );
          assert.equal(value.wraps?.stored.length, rtts.length - harmed.length);
          assert.deepEqual(
            value.wraps.missing.map(({ region }) => region),
            harmed.map((index) => fleet.regions[index]!.region),
          );
          const slowest = Math.max(
            ...rtts.map((rtt, index) => (faulty.includes(index) ? straggling(fault, rtt) : rtt)),
          );
          assert.ok(elapsedMs <= before + rttOf(honest) + slowest + 1, `${elapsedMs} ms`);
          for (const index of faulty) fleet.regions[index]!.fault = null;
          await fleet.read(value.message);
        });
      }

      test(`with ${fault} everywhere the deadline holds and nothing is acknowledged`, async () => {
        const fleet = new Fleet(rtts, minimum);
        const { message } = await fleet.warmUp();
        for (const region of fleet.regions) region.fault = fault;
        for (let attempt = 0; attempt < 3; attempt++) {
          const startedAt = fleet.time.now();
          const read = await fleet.read(message).catch((error: unknown) => error);
          assert.ok(
            read instanceof EnvelopeError &&
              ["regions-unavailable", "deadline-exceeded", "decryption-failed"].includes(read.code),
          );
          assert.ok(fleet.time.now() - startedAt <= deadlineMs);
          const writtenAt = fleet.time.now();
          const write = await fleet.write().then(
            ({ value }) => value,
            (error: unknown) => error,
          );
          assert.ok(fleet.time.now() - writtenAt <= deadlineMs);
          if (FAULT_RULES[fault].write !== null || fault === "wrong-key-length") {
            assert.ok(
              write instanceof EnvelopeError && ["wraps-below-minimum", "deadline-exceeded"].includes(write.code),
            );
          }
        }
      });
    }
  });
}

test("a write to three healthy regions takes the slowest round trip and at most 10 ms, not the sum", async () => {
  const fleet = new Fleet([5, 40, 70], 3);
  const { elapsedMs } = await fleet.write();
  assert.ok(elapsedMs <= 80, `${elapsedMs} ms`);
});
