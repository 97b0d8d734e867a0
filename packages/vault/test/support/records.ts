/**
 * Short forms for tests of a store's own: units at the epoch of a store that is new.
 */
import assert from "node:assert/strict";
import type { Head, Store, Unit } from "@strongroom/vault";
import { at, EPOCH, live, remove as removal, removed, write as writeUnit } from "../../src/store-contract/changes.ts";

export { at, live, removed };
export { place, day } from "../../src/store-contract/changes.ts";

/** A write of one version of a person. */
export function write(id: string, base: Head | null, version: number, message?: Uint8Array): Unit {
  const more = message === undefined ? {} : { message };
  return writeUnit(at(id), base, version, { at: EPOCH.none, ...more });
}

export const remove = (id: string, base: Unit["base"], tombstone: number): Unit => removal(at(id), base, tombstone);

/** Makes units, each in a transaction of its own. */
export async function make(store: Store, ...units: readonly Unit[]): Promise<void> {
  for (const unit of units) assert.deepEqual(await store.records.apply([unit], { atomic: true }), [{ kind: "made" }]);
}
