/**
 * How a store in memory is broken: some of its methods are replaced, and the test of the contract that finds it is named.
 */
import type { Gate } from "../../../src/stores/gate.ts";
import type { Indexes } from "../../../src/stores/indexes.ts";
import type { Inventory } from "../../../src/stores/inventory.ts";
import type { JobStore } from "../../../src/stores/jobs.ts";
import type { KeptMessages } from "../../../src/stores/kept.ts";
import type { Notes } from "../../../src/stores/notes.ts";
import type { Outbox } from "../../../src/stores/outbox.ts";
import type { RecordStore, Store, SubjectRows } from "../../../src/stores/store.ts";
import type { NewVersion, Unit } from "../../../src/stores/units.ts";

/** One promise that is broken. */
export interface Sabotage {
  /** The behaviour, as the contract states it. */
  readonly foundBy: string;
  readonly alter?: (store: Store) => Store;
  /** A clock that is not what it should be. */
  readonly clock?: () => (now: number) => number;
}

type Parts = {
  readonly records?: Partial<RecordStore>;
  readonly subjects?: Partial<SubjectRows>;
  readonly gate?: Partial<Gate>;
  readonly inventory?: Partial<Inventory>;
  readonly jobs?: Partial<JobStore>;
  readonly notes?: Partial<Notes>;
  readonly kept?: Partial<KeptMessages>;
  readonly outbox?: Partial<Outbox>;
  readonly indexes?: Partial<Indexes>;
} & Partial<Pick<Store, "close" | "transaction">>;

/** The store, with some of its methods replaced. */
function altered(store: Store, parts: Parts): Store {
  const { records, subjects, gate, inventory, jobs, notes, kept, outbox, indexes, close, transaction } = parts;
  return {
    capabilities: store.capabilities,
    records: { ...store.records, ...records },
    subjects: { ...store.subjects, ...subjects },
    gate: { ...store.gate, ...gate },
    inventory: { ...store.inventory, ...inventory },
    jobs: { ...store.jobs, ...jobs },
    notes: { ...store.notes, ...notes },
    kept: { ...store.kept, ...kept },
    outbox: { ...store.outbox, ...outbox },
    indexes: { ...store.indexes, ...indexes },
    transaction: transaction ?? store.transaction!,
    requireRoom: () => store.requireRoom(),
    ping: () => store.ping(),
    close: close ?? (() => store.close()),
  };
}

/** A store some of whose methods are other ones. */
export const breaks = (foundBy: string, parts: (store: Store) => Parts): Sabotage => ({
  foundBy,
  alter: (store) => altered(store, parts(store)),
});

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const writing = (unit: Unit, change: (versions: readonly NewVersion[]) => readonly NewVersion[]): Unit =>
  unit.change.kind === "write" ? { ...unit, change: { ...unit.change, versions: change(unit.change.versions) } } : unit;
export const keyOf = ({ address: { collection, id } }: Pick<Unit, "address">): string => `${collection}/${id}`;

/** The units as they would be if they had been prepared just now. */
export async function prepared(store: Store, units: readonly Unit[]): Promise<readonly Unit[]> {
  const heads = await store.records.heads(units.map(({ address }) => address));
  return units.map((unit, index) => ({ ...unit, base: heads[index]!.head }));
}

export async function atEpoch(store: Store, units: readonly Unit[]): Promise<readonly Unit[]> {
  const { epoch } = await store.gate.current();
  return units.map((unit) => (unit.change.kind === "write" ? { ...unit, change: { ...unit.change, epoch } } : unit));
}
