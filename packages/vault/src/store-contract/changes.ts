/**
 * Short forms for the contract of a store: addresses, heads, units, wrap sets, and what is asserted of them.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { isVaultError } from "../errors.ts";
import type { VaultError, VaultErrorCode } from "../errors.ts";
import { parseAddress, parseCollection, parseSubject, parseVersion } from "../records/address.ts";
import type { Address, Collection } from "../records/address.ts";
import type { Epoch } from "../stores/gate.ts";
import type { InventoryItem, Rewrap } from "../stores/inventory.ts";
import type { Lease } from "../stores/jobs.ts";
import type { Head, ListedRecord, RecordRead, Stamp, VersionPlace } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { NewVersion, Unit, WriteChange, WriteId } from "../stores/units.ts";
import type { WrapSet, WrapSetId } from "../stores/wrap-set.ts";

/** `none`: no key set was ever in force. `first`: at which every test begins. */
export const EPOCH = { none: 0 as Epoch, first: 1 as Epoch } as const;
export const epoch = (number: number): Epoch => number as Epoch;

export const PEOPLE: Collection = parseCollection("people");
export const at = (id: string, collection = "people"): Address => parseAddress({ collection, id });
export const place = (id: string, version: number, collection = "people"): VersionPlace => ({
  ...at(id, collection),
  version: parseVersion(version),
});
export const live = (version: number): Head => ({ version: parseVersion(version), state: "live" });
export const removed = (version: number): Head => ({ version: parseVersion(version), state: "removed" });
export const newWriteId = (): WriteId => randomUUID() as WriteId;

/** A document of 1 MiB as a message: none of a store's pages, packets or parameters may be too small for it. */
export const large = (): Buffer => randomBytes(1024 * 1024 + 611);

/** The wraps of these keys; `owed` are keys that are missing. */
export function wrapSet(keys: readonly string[] = ["key-1", "key-2"], owed: readonly string[] = []): WrapSet {
  return {
    wraps: keys.map((key) => ({ provider: "aws-kms", key, material: null })),
    target: keys.length + owed.length,
    missing: owed.map((keyArn) => ({ region: `region of ${keyArn}`, keyArn, reason: "timeout" })),
  };
}

/** A moment of January 2026. */
export const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString();

export function newVersion(number: number, more: Partial<NewVersion> = {}): NewVersion {
  return {
    version: parseVersion(number),
    scheme: 1,
    subject: parseSubject("subject"),
    about: [],
    createdAt: day(number % 25),
    wrapSet: wrapSet(),
    message: Buffer.from(`message ${number}`),
    ...more,
  };
}

/** What a test may choose of a write of one version. */
export type WriteOptions = Partial<NewVersion & Pick<WriteChange, "subjects" | "sealedId">> & { readonly at?: Epoch };

/** A write of one version. */
export function write(
  address: Address,
  base: Head | null,
  number: number,
  { at: when = EPOCH.first, subjects = [], sealedId = null, ...more }: WriteOptions = {},
): WriteUnit {
  const unit = writeAll(address, base, [newVersion(number, more)], when);
  return { ...unit, change: { ...unit.change, subjects, sealedId } };
}

/** A unit that writes. */
export type WriteUnit = Unit & { readonly change: WriteChange };

/** A write of several versions. */
export function writeAll(
  address: Address,
  base: Head | null,
  versions: readonly NewVersion[],
  when: Epoch = EPOCH.first,
): WriteUnit {
  const change = { kind: "write", epoch: when, versions, subjects: [], sealedId: null } as const;
  return { writeId: newWriteId(), address, base, change };
}

export function remove(address: Address, base: Unit["base"], tombstone: number): Unit {
  return {
    writeId: newWriteId(),
    address,
    base,
    change: { kind: "remove", tombstone: parseVersion(tombstone), removedAt: day(28) },
  };
}

/** Makes each unit, one after the other. */
export async function make(store: Store, ...units: readonly Unit[]): Promise<void> {
  for (const unit of units) assert.equal(await applyOne(store, unit), "made");
}

/** What becomes of one unit. */
export async function applyOne(store: Store, unit: Unit): Promise<string> {
  const results = await store.records.apply([unit], { atomic: true });
  assert.equal(results.length, 1);
  return results[0]!.kind;
}

/** What becomes of units that need not be made together. */
export async function applyEach(store: Store, ...units: readonly Unit[]): Promise<readonly string[]> {
  return (await store.records.apply(units, { atomic: false })).map(({ kind }) => kind);
}

/** The heads of these records. */
export async function headsOf(store: Store, ...ids: readonly string[]): Promise<readonly (Head | null)[]> {
  return (await store.records.heads(ids.map((id) => at(id)))).map(({ head }) => head);
}

/** The numbers of a record's versions, the newest first. */
export async function numbersOf(store: Store, id: string): Promise<readonly number[]> {
  const { versions } = await store.records.versions(at(id), { before: null, limit: 10_000 });
  return versions.map(({ version }) => version);
}

/** The message of a version, null when there is none. */
export async function messageOf(store: Store, id: string, version: number | null = null): Promise<Buffer | null> {
  const number = version === null ? null : parseVersion(version);
  const { stored } = await store.records.read(at(id), number);
  return stored === null ? null : Buffer.from(stored.message);
}

/** What a rewrite of the version would name. */
export async function stampOf(store: Store, id: string, version: number): Promise<Stamp> {
  const { stored } = await store.records.read(at(id), parseVersion(version));
  assert.ok(stored !== null, `${id} has version ${version}`);
  return stored.stamp;
}

/** A store of any kind. */
interface KnowsSets {
  readonly inventory: Pick<Store["inventory"], "sets">;
}

/** The number of a set that something has or had. */
export async function idOf(store: KnowsSets, set: WrapSet): Promise<WrapSetId> {
  const found = (await store.inventory.sets()).find((known) => known.set !== null && isSameSet(known.set, set));
  assert.ok(found !== undefined, "the set is known");
  return found.id;
}

const isSameSet = (a: WrapSet, b: WrapSet): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
/** In one order, whatever the order of its members. */
export function sorted({ wraps, target, missing }: WrapSet): unknown {
  return {
    wraps: wraps.map(({ provider, key, material }) => JSON.stringify([provider, key, material])).sort(),
    target,
    missing: missing.map(({ region, keyArn, reason }) => JSON.stringify([region, keyArn, reason])).sort(),
  };
}

/** The rewrap of a version as it is now: nothing is owed any more. */
export async function rewrapOf(store: Store, id: string, version: number, more: Partial<Rewrap> = {}): Promise<Rewrap> {
  return {
    place: place(id, version),
    seen: await stampOf(store, id, version),
    epoch: EPOCH.first,
    message: Buffer.from(`rewrapped ${version}`),
    wrapSet: wrapSet(["key-1", "key-2", "key-3"]),
    at: day(27),
    lease: null,
    ...more,
  };
}

/** A lease of a partition of the job `repair`, which is added. */
export async function leaseOf(store: Pick<Store, "jobs">, partition = "all", ms = 60_000): Promise<Lease> {
  await store.jobs.add("repair", [partition]);
  const lease = await store.jobs.lease({ job: "repair", holder: "the contract", ms });
  assert.ok(lease !== null);
  return lease;
}

/** Every version that has one of all sets there are, in the store's order. */
export async function inventoryOf(store: Store): Promise<readonly InventoryItem[]> {
  const sets = (await store.inventory.sets()).map(({ id }) => id);
  return store.inventory.list({ sets, after: null, limit: 10_000 });
}

/** A list as its callers see it: what there is of a record, and not where the list goes on. */
export const listed = (found: readonly ListedRecord[] | null): unknown =>
  found?.map(({ id, head, newestRow, updatedAt }) => ({ id, head, newestRow, updatedAt }));

export async function rejects(code: VaultErrorCode, work: () => Promise<unknown>): Promise<VaultError> {
  const error = await failureOf(work);
  assert.equal(error.code, code, error.message);
  return error;
}

/** The VaultError that `work` rejects with. */
export async function failureOf(work: () => Promise<unknown>): Promise<VaultError> {
  try {
    await work();
  } catch (error) {
    return vaultError(error);
  }
  assert.fail("it was not refused");
}

/** The error, which must be one of a vault. */
export function vaultError(error: unknown): VaultError {
  assert.ok(isVaultError(error), `not an error of a vault: ${String(error)}`);
  return error;
}

/** A record whose parts belong together, as every reader must see it. */
export function assertWhole({ head, newestRow, stored, damage }: RecordRead): void {
  assert.equal(damage, undefined);
  assert.equal(newestRow, head?.state === "live" ? head.version : null, "head and rows are of one moment");
  assert.equal(stored?.version, head?.state === "live" ? head.version : undefined);
}

/** Lets everyone else go on: a store may answer within one turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
