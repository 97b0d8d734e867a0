/**
 * A vault of a large rotation as any of its processes opens it: stores by their places, key sets by their ARNs.
 */
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import type { KeySetInput, RepairOptions, Scope, Vault } from "@strongroom/vault";
import type { KeyedPlace } from "../faults/keyed-place.ts";
import { openStores } from "../faults/keyed-place.ts";

/** What a client of one region needs. */
export interface RegionClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** What a process is told. */
export interface LargeTask {
  readonly place: KeyedPlace;
  readonly scope: Scope;
  readonly kms: readonly RegionClientConfig[];
  /** ARNs, in the order of the regions. */
  readonly current: readonly string[];
  readonly next: readonly string[] | null;
}

/** A busy machine is not taken for a region that is away, and every call is one that was meant. */
const PATIENT = {
  stragglerMinMs: 8_000,
  attemptTimeoutMs: 8_000,
  deadlineMs: 20_000,
  operationsWaitMs: 10_000,
  hedgeRatio: 0,
  hedgeReserve: 0,
  proveWraps: "off",
} as const;

/** Opens it; `repair`: this process works on runs. */
export async function openLarge(task: LargeTask, repair: RepairOptions | null): Promise<Vault> {
  const clients = task.kms.map((config) => ({ region: config.region, client: new KMS({ ...config, maxAttempts: 1 }) }));
  const setOf = (arns: readonly string[]): KeySetInput => {
    const regions = clients.map(({ region, client }, index) => ({ region, client, keyArn: arns[index] ?? "" }));
    return { keyring: multiRegionKeyring({ regions, minimum: regions.length, ...PATIENT }), keySet: arns };
  };
  const { store, keyStore } = await openStores(task.place);
  return openVault({
    store,
    ...setOf(task.current),
    ...(task.next === null ? {} : { next: setOf(task.next) }),
    keys: { store: keyStore, scope: task.scope },
    ...(repair === null ? {} : { repair }),
  });
}

/** The id of a person by number. */
export const idOf = (n: number): string => `C${String(n).padStart(7, "0")}`;
