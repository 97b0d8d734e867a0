/**
 * Repairs one version: reads and opens it where it lies, seals the same bytes in a new message, and puts that in its
 * place if nothing has happened there meanwhile.
 *
 * Never the old message with more wraps: its header is authenticated with a key derived for its message id and a fixed
 * IV, so a second header under the same id would repeat a nonce and give the authentication key away. A new message has
 * an id and a data key of its own.
 */
import { inspect } from "@strongroom/envelope";
import type { InspectedDataKey } from "@strongroom/envelope";
import type { Auditor, Concerned } from "../audit/auditor.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import { isOfKeyStore, KEY_STORE_WRAP_SET, wrapsOf } from "../keys/wraps.ts";
import type { Dependencies } from "../limits.ts";
import { damaged } from "../records/read.ts";
import { openBytes, requireContext, sealBytes, storedAddress } from "../records/version.ts";
import { keySetMoved } from "../records/write.ts";
import type { RewrapResult } from "../stores/inventory.ts";
import type { Lease } from "../stores/jobs.ts";
import type { StoredMessage, VersionPlace } from "../stores/rows.ts";
import { owedRegions } from "./debt.ts";
import { decideRepair } from "./decide-repair.ts";
import type { RepairDecision } from "./decide-repair.ts";
import { REPAIR_JOB } from "./partitions.ts";
import type { Work, WorkOutcome } from "./work.ts";

/** What a repair works with. */
export interface RepairDependencies extends Pick<Dependencies, "store" | "keys" | "subjectKeys" | "clock"> {
  /** Left out: the vault has none. */
  readonly audit?: Auditor | null;
  readonly signal: AbortSignal | undefined;
}

/** Tries of a version whose key set changes while it is sealed. */
const SEAL_ATTEMPTS = 8;

/** The versions of a record store. */
export function owedVersions(dependencies: RepairDependencies): Work {
  const { inventory, jobs } = dependencies.store;
  return {
    job: REPAIR_JOB,
    inventory,
    jobs,
    damaged: "record-tampered",
    wanted: () => owedRegions({ sets: () => inventory.sets() }),
    converge: (place, lease) => repairVersion(dependencies, place, lease),
  };
}

/**
 * Repairs one version.
 *
 * @param lease of the job that does it: nothing is changed once it is somebody else's. Null: no job does it.
 * @throws VaultError the `record-…` codes, `key-not-configured`, `regions-unavailable`, `wraps-below-minimum`,
 *   `wraps-still-missing`, `wraps-would-be-lost`, `deadline-exceeded`, `keyring-overloaded`, `aborted`,
 *   `encryption-failed`, `key-set-unknown`, `key-set-moved`; the store's. The stored message is as it was then.
 */
export async function repairVersion(
  dependencies: RepairDependencies,
  place: VersionPlace,
  lease: Lease | null,
): Promise<WorkOutcome> {
  const { store, keys, audit } = dependencies;
  for (let attempt = 1; attempt <= SEAL_ATTEMPTS; attempt++) {
    await store.requireRoom();
    const rows = await store.records.read(place, place.version);
    const { stored, damage } = rows;
    if (stored === null && damage !== undefined) throw damaged({ damage });
    // Removed since it was found.
    if (stored === null) return { kind: "overtaken" };
    // Or what was put in the place of a message would be sealed anew, and be known from then on.
    const { version, message } = stored;
    if ((await audit?.requireNewest([{ row: place, rows, version, message }])) === "overtaken")
      return { kind: "overtaken" };
    const { decision, result } = await sealAnew(dependencies, { place, stored, lease });
    if (result.kind === "overtaken") return { kind: "overtaken" };
    if (result.kind === "made")
      return decision.kind === "replace" ? { kind: "repaired", gained: decision.gained } : decision;
    keys.moved();
  }
  throw keySetMoved();
}

interface Found {
  readonly place: VersionPlace;
  readonly stored: StoredMessage;
  readonly lease: Lease | null;
}

async function sealAnew(
  { store, keys, subjectKeys, audit, clock, signal }: RepairDependencies,
  { place, stored, lease }: Found,
): Promise<{ readonly decision: RepairDecision; readonly result: RewrapResult }> {
  const { epoch, keyring } = await keys.forWriting();
  const { message: base, stamp } = stored;
  const address = storedAddress(place, stored, subjectKeys);
  const at = clock().toISOString();
  // Its row says that it owes what only messages with wraps of their own can owe.
  if (address.vault !== undefined && requireContext(base, address).some(isOfKeyStore)) {
    const change = { place, seen: stamp, epoch, message: null, wrapSet: KEY_STORE_WRAP_SET, at, lease };
    return { decision: { kind: "settled" }, result: await store.inventory.rewrap(change) };
  }
  const plaintext = await openBytes(base, address, { keys, subjectKeys, signal });
  try {
    const { message, wrapSet } = await sealBytes(plaintext, address, { keyring, signal });
    const wrong = await wrapsOwedThatAreThere(store, stored);
    const before = placesOf(base).filter(({ keyInfo }) => !wrong.has(keyInfo));
    const decision = decideRepair(before, placesOf(message), wrapSet.missing);
    if (decision.kind === "replace") await audit?.rewrap({ ...concernedBy(place, stored), message });
    const changed =
      decision.kind === "replace"
        ? { message, wrapSet }
        : { message: null, wrapSet: { ...wrapSet, wraps: wrapsOf(base) } };
    return { decision, result: await store.inventory.rewrap({ place, seen: stamp, epoch, ...changed, at, lease }) };
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Wrapping keys whose wraps the message has and owes all the same: a verification has found that they do not open. They
 * count for nothing.
 */
async function wrapsOwedThatAreThere(
  { inventory }: Pick<RepairDependencies["store"], "inventory">,
  { stamp }: StoredMessage,
): Promise<ReadonlySet<string>> {
  const known = (await inventory.sets()).find(({ id }) => id === stamp.wrapSet);
  return new Set(known?.set?.missing.map(({ keyArn }) => keyArn));
}

/** The record's own id is not asked for: it would cost a key. */
function concernedBy(place: VersionPlace, { version, scheme, subject, about }: StoredMessage): Concerned {
  return { row: { collection: place.collection, id: place.id }, id: null, version, scheme, subject, about };
}

function placesOf(message: Uint8Array): readonly InspectedDataKey[] {
  try {
    return inspect(message).encryptedDataKeys;
  } catch (error) {
    throw envelopeFailure(error);
  }
}
