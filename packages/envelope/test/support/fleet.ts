/** A multi-region keyring over simulated regions, in virtual time. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { decrypt, encrypt } from "@strongroom/envelope";
import type { EncryptResult } from "@strongroom/envelope";
import { KMS_CHANNEL, multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { KeyRegion, KmsEvent, MultiRegionKeyring, MultiRegionOptions } from "@strongroom/envelope/aws-kms";
import { SimulatedRegion } from "./simulated-region.ts";
import { VirtualTime } from "./virtual-time.ts";

export const encryptionContext: Readonly<Record<string, string>> = { id: "42", secretive: "the value of a context" };
export const plaintext: Buffer = Buffer.from("a name and an address");

export interface Fleet {
  readonly time: VirtualTime;
  readonly regions: readonly SimulatedRegion[];
  readonly keyring: MultiRegionKeyring;
  write(signal?: AbortSignal): Promise<{ readonly value: EncryptResult; readonly elapsedMs: number }>;
  read(message: Uint8Array): Promise<number>;
}

export function fleetOf(
  rtts: readonly number[],
  options: Partial<MultiRegionOptions> = {},
  extra: readonly Partial<KeyRegion>[] = [],
): Fleet {
  const time = new VirtualTime();
  const regions = rtts.map((rtt, index) => new SimulatedRegion(time, `eu-west-${index + 1}`, rtt));
  const listed = regions.map((region, index) => ({ ...region.asRegion, ...extra[index] }));
  // Proofs come by chance; what is told here to the millisecond and the call is told without them.
  const keyring = multiRegionKeyring({ regions: listed, minimum: 1, proveWraps: "off", time, ...options });
  return {
    time,
    regions,
    keyring,
    write: (signal) =>
      time.run(encrypt(plaintext, { keyring, encryptionContext, ...(signal === undefined ? {} : { signal }) })),
    async read(message) {
      const { value, elapsedMs } = await time.run(decrypt(message, { keyring, encryptionContext }));
      assert.deepEqual(Buffer.from(value.plaintext), plaintext);
      return elapsedMs;
    },
  };
}

/** A message, with every region's latency known to the keyring. */
export async function warm(fleet: Fleet): Promise<Uint8Array> {
  for (let write = 0; write < 10; write++) await fleet.write();
  return (await fleet.write()).value.message;
}

export function region(fleet: Fleet, index: number): SimulatedRegion {
  const found = fleet.regions[index];
  assert.ok(found !== undefined);
  return found;
}

export function health(fleet: Fleet, index: number): ReturnType<MultiRegionKeyring["health"]>[number] {
  const found = fleet.keyring.health()[index];
  assert.ok(found !== undefined);
  return found;
}

export const callsOf = (fleet: Fleet): number[] => fleet.regions.map(({ calls }) => calls);

/** Everything that is published while `work` runs. */
export async function eventsOf(work: () => Promise<unknown>): Promise<readonly KmsEvent[]> {
  const events: KmsEvent[] = [];
  const listen = (event: unknown): void => {
    events.push(event as KmsEvent);
  };
  subscribe(KMS_CHANNEL, listen);
  try {
    await work();
  } finally {
    unsubscribe(KMS_CHANNEL, listen);
  }
  return events;
}
