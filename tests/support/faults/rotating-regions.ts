/**
 * A vault over three regions of a real KMS that goes from one key in each to another, with faults in the KMS, while
 * others read and write.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import type { MultiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createKms } from "@strongroom/kms";
import type { FaultPlan, Kms } from "@strongroom/kms";
import { openVault } from "@strongroom/vault";
import type { ConvergenceRun, RepairOptions, Vault } from "@strongroom/vault";
import { QUICK_KEYRING, REGIONS } from "../../../packages/vault/test/support/regional-vault.ts";
import { memoryStorage } from "../../../packages/vault/test/support/storage.ts";
import { defer } from "../defer.ts";
import { temporaryFolder } from "./folder.ts";
import { SCOPED } from "./rotated-place.ts";
import { RotationLedger } from "./rotation-ledger.ts";
import type { Counted, TrafficLine } from "./rotation-ledger.ts";
import { oldId, reads, write, writes } from "./rotation-traffic.ts";

export const MINIMUM = 2;

/** A region that is away or throttled is not asked again all the time. */
const PATIENT: RepairOptions = {
  leaseMs: 2_000,
  intervalMs: 300,
  lookMs: 20,
  regionWaitMs: 200,
  longestRegionWaitMs: 1_000,
};

/** A key of a region. */
interface RegionKey {
  readonly region: string;
  readonly keyArn: string;
  readonly client: KMS;
}

export interface RotatingRegions {
  readonly kms: Kms;
  readonly faults: FaultPlan;
  /** Of each region in their order: the key that is left, and the one that comes. */
  readonly old: readonly RegionKey[];
  readonly fresh: readonly RegionKey[];
  /** Knows both, and works. */
  readonly vault: Vault;
  /** Begins to read and write; what it gives ends that. */
  traffic(pauseMs: number): () => Promise<Traffic>;
  /** The present run. */
  run(): Promise<ConvergenceRun>;
  /** Waits until the run is as asked; with what it was then. */
  until(is: (run: ConvergenceRun) => boolean): Promise<ConvergenceRun>;
  /** What the KMS was asked since the records were written, by region: of one operation. */
  answered(operation: string): ReadonlyMap<string, number>;
  /** Opens everything that was written with the keys that are in force alone. */
  check(inForce: readonly RegionKey[]): Promise<Counted>;
}

/** What callers were told beside the run. */
export interface Traffic {
  readonly reads: ReadonlyMap<string, number>;
  readonly refused: ReadonlyMap<string, number>;
}

/** @param records of each collection, written under the old keys */
export async function rotatingRegions(t: TestContext, records: number): Promise<RotatingRegions> {
  const dataDir = await temporaryFolder(t);
  const kms = await createKms({
    ...{ dataDir, regions: REGIONS.map((name) => ({ name, port: 0 })), allowFaults: "loopback", faultsPort: 0 },
    rootKey: { kind: "file", path: join(dataDir, "root.key") },
  });
  defer(t, () => kms.close());
  const clients = REGIONS.map((region) => {
    const client = new KMS({ ...kms.clientConfig(region), maxAttempts: 1 });
    defer(t, () => {
      client.destroy();
    });
    return { region, client };
  });
  const keysOf = (): Promise<readonly RegionKey[]> =>
    Promise.all(clients.map(async (one) => ({ ...one, keyArn: (await one.client.createKey({})).KeyMetadata!.Arn! })));
  const [old, fresh] = [await keysOf(), await keysOf()];
  const storage = memoryStorage();
  const ringOf = (regions: readonly RegionKey[]): MultiRegionKeyring =>
    multiRegionKeyring({ regions: [...regions], minimum: MINIMUM, ...QUICK_KEYRING, proveWraps: "off" });
  const namesOf = (keys: readonly RegionKey[]): readonly string[] => keys.map(({ keyArn }) => keyArn);
  const open = async (inForce: readonly RegionKey[], next: readonly RegionKey[] | null): Promise<Vault> => {
    const [keyring, other] = [ringOf(inForce), next === null ? null : ringOf(next)];
    const vault = await openVault({
      ...{ store: await storage.open(), keyring, keySet: namesOf(inForce), collections: SCOPED },
      // A key that is in memory would go on without any region.
      keys: { store: await storage.openKeys(), cache: { maxAgeMs: 1 } },
      ...(next === null || other === null
        ? {}
        : {
            next: { keyring: other, keySet: namesOf(next) },
            repair: { ...PATIENT, health: () => other.health() },
          }),
    });
    defer(t, () => vault.close());
    return vault;
  };
  const vault = await open(old, fresh);
  const ledger = new RotationLedger();
  const lines: TrafficLine[] = [];
  const say = (line: TrafficLine): void => {
    lines.push(line);
  };
  for (const collection of Object.keys(SCOPED) as (keyof typeof SCOPED)[])
    await Promise.all(Array.from({ length: records }, (_, n) => write(vault, { collection, id: oldId(n) }, say)));
  const run = async (): Promise<ConvergenceRun> => (await vault.convergence.status()).run!;
  const from = highestSeq(dataDir);
  return {
    ...{ kms, faults: kms.faults!, old, fresh, vault, run },
    traffic: (pauseMs) => {
      const stopping = new AbortController();
      const how = { records, say, pauseMs, stop: stopping.signal };
      const going = Promise.all([writes(vault, how), reads(vault, how)]);
      return async () => {
        stopping.abort();
        await going;
        const seen = new RotationLedger();
        seen.add(lines);
        return seen;
      };
    },
    until: async (is) => {
      for (;;) {
        const now = await run();
        if (is(now)) return now;
        if (process.env["DBG"])
          console.error(
            Math.round(performance.now()),
            now.state,
            now.phase,
            JSON.stringify({
              ...now.progress,
              calls: now.progress.calls.map((c) => `${c.region} ${c.operation} ${c.calls}`).join(),
            }),
          );
        await sleep(process.env["DBG"] ? 1000 : 20);
      }
    },
    answered: (operation) => answeredOf(dataDir, operation, from),
    check: async (inForce) => {
      ledger.add(lines);
      return ledger.check(await open(inForce, null));
    },
  };
}

function highestSeq(dataDir: string): number {
  using database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  return Number(database.prepare("SELECT max(seq) AS seq FROM audit").get()?.["seq"] ?? 0);
}

function answeredOf(dataDir: string, operation: string, from: number): ReadonlyMap<string, number> {
  using database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const counts = new Map<string, number>();
  for (const { event } of database.prepare("SELECT event FROM audit WHERE seq > ?").all(from)) {
    const { eventName, awsRegion } = JSON.parse(String(event)) as {
      readonly eventName: string;
      readonly awsRegion: string;
    };
    if (eventName === operation) counts.set(awsRegion, (counts.get(awsRegion) ?? 0) + 1);
  }
  return counts;
}

/** What a KMS allows in each region, of which another program takes its part at once whenever there is any. */
export class SharedQuota {
  readonly #faults: FaultPlan;
  readonly #take: FaultPlan["take"];

  /** @param others calls a second that are taken by the other program */
  constructor(faults: FaultPlan, { perSecond, others }: { readonly perSecond: number; readonly others: number }) {
    this.#faults = faults;
    this.#take = faults.take.bind(faults);
    const left = new Map<string, { calls: number; at: number }>();
    const isFree = (region: string): boolean => {
      const now = performance.now();
      const bucket = left.get(region) ?? { calls: perSecond - others, at: now };
      const calls = Math.min(perSecond - others, bucket.calls + ((perSecond - others) * (now - bucket.at)) / 1000);
      left.set(region, { calls: calls >= 1 ? calls - 1 : calls, at: now });
      return calls >= 1;
    };
    faults.take = (region, operation) =>
      operation !== null && USES.has(operation) && !isFree(region)
        ? [{ kind: "throttle" }]
        : this.#take(region, operation);
  }

  end(): void {
    this.#faults.take = this.#take;
  }
}

/** What a quota counts. */
const USES = new Set(["GenerateDataKey", "Encrypt", "Decrypt", "ReEncrypt"]);
