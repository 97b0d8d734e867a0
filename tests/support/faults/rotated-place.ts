/**
 * A vault with an audit that is on its way from one wrapping key to another, in a KMS: as a process opens it that knows
 * both, and as one does that knows only the new one.
 */
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { openVault } from "@strongroom/vault";
import type { AuditOptions, JobStore, KeySetInput, KeyStore, RepairOptions, Store, Vault } from "@strongroom/vault";
import { SLOTS_JOB } from "../../../packages/vault/src/convergence/kms-slots.ts";
import { QUICK_KEYRING } from "../../../packages/vault/test/support/regional-vault.ts";
import { overlaid } from "../../../packages/vault/test/support/store-with.ts";
import { openLogPlace, withLease } from "./audited-place.ts";
import type { AuditedPlace } from "./audited-place.ts";
import { openStores } from "./keyed-place.ts";

/** Where the wrapping keys are, as it is told to a process of a test's own. */
export interface KmsPlace {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** From which wrapping key to which: ARNs. The one to leave is in no process that is told null. */
export interface Rotation {
  readonly kms: KmsPlace;
  readonly from: string | null;
  readonly to: string;
  /** Whether it also takes each collection to another scope, or back. */
  readonly scopes?: "moved";
}

/** A collection of each scope. */
export const SCOPED = {
  records: { scope: "record" },
  people: { scope: "subject" },
  tenants: { scope: "tenant" },
} as const;

/** The same, each in another one. */
const MOVED = {
  records: { scope: "subject" },
  people: { scope: "tenant" },
  tenants: { scope: "record" },
} as const;

export type ScopedCollection = keyof typeof SCOPED;
export const COLLECTIONS = Object.keys(SCOPED) as readonly ScopedCollection[];

/** So long a dead process keeps what it works on from the others, and its part of the KMS's quota. */
const LEASE_MS = 2_000;
const SLOT_MS = 3_000;
const LOG_LEASE_MS = 400;

/** How a process opens it. */
export interface OpenedFor {
  /** Works on runs. Left out: it does not. */
  readonly works?: RepairOptions;
  readonly audit?: Omit<AuditOptions, "log">;
  /** Comes in between the vault and its stores. */
  readonly before?: (stores: { store: Store; keyStore: KeyStore }) => { store: Store; keyStore: KeyStore };
}

/** Closing the vault closes its stores. */
export async function openRotated(
  place: AuditedPlace,
  { kms, from, to, scopes }: Rotation,
  { works, audit = {}, before = (stores) => stores }: OpenedFor = {},
): Promise<Vault> {
  const client = new KMS({ region: kms.region, endpoint: kms.endpoint, credentials: kms.credentials, maxAttempts: 1 });
  const setOf = (keyArn: string): KeySetInput => ({
    keyring: multiRegionKeyring({
      regions: [{ region: kms.region, keyArn, client }],
      minimum: 1,
      ...QUICK_KEYRING,
    }),
    keySet: [keyArn],
  });
  const { store, keyStore } = before(await openStores(place));
  const log = await openLogPlace(place.log);
  try {
    return await openVault({
      store: overlaid(store, { jobs: shortSlots(store.jobs) }),
      ...(from === null ? setOf(to) : { ...setOf(from), next: setOf(to) }),
      keys: { store: keyStore },
      collections: scopes === "moved" ? MOVED : SCOPED,
      audit: { log: withLease(log, LOG_LEASE_MS), ...audit },
      ...(works === undefined ? {} : { repair: { leaseMs: LEASE_MS, ...works } }),
    });
  } catch (error) {
    for (const opened of [log, keyStore, store]) await opened.close();
    throw error;
  }
}

/** The slots of the KMS's quota are held no longer than that: a test would wait for those of the dead most of its time. */
function shortSlots(jobs: JobStore): JobStore {
  return overlaid(jobs, {
    lease: (request) => jobs.lease(request.job === SLOTS_JOB ? { ...request, ms: SLOT_MS } : request),
    save: (lease, progress, ms) => jobs.save(lease, progress, lease.job === SLOTS_JOB ? SLOT_MS : ms),
  });
}
