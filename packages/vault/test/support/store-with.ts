/**
 * A real store with some of its methods replaced, to come in between.
 */
import type { Gate, Inventory, JobStore, RecordStore, Store, StoredMessage, SubjectRows } from "@strongroom/vault";

/** What is replaced of a store and of its parts. */
export interface Replaced extends Partial<Omit<Store, "records" | "subjects" | "gate" | "inventory" | "jobs">> {
  readonly records?: Partial<RecordStore>;
  readonly subjects?: Partial<SubjectRows>;
  readonly gate?: Partial<Gate>;
  readonly inventory?: Partial<Inventory>;
  readonly jobs?: Partial<JobStore>;
}

export function storeWith(store: Store, { records, subjects, gate, inventory, jobs, ...own }: Replaced): Store {
  return overlaid(store, {
    ...own,
    ...(records === undefined ? {} : { records: overlaid(store.records, records) }),
    ...(subjects === undefined ? {} : { subjects: overlaid(store.subjects, subjects) }),
    ...(gate === undefined ? {} : { gate: overlaid(store.gate, gate) }),
    ...(inventory === undefined ? {} : { inventory: overlaid(store.inventory, inventory) }),
    ...(jobs === undefined ? {} : { jobs: overlaid(store.jobs, jobs) }),
  });
}

/** A part with some of its members replaced. */
export function overlaid<Part extends object>(part: Part, replaced: Partial<Part>): Part {
  return new Proxy(part, {
    get: (target, name) => {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown;
      const found = Reflect.get(target, name) as unknown;
      return typeof found === "function" ? (found as (...args: unknown[]) => unknown).bind(target) : found;
    },
  });
}

/** A store whose versions read as somebody changed them. */
export function alteredStore(
  store: Store,
  alter: (stored: StoredMessage, id: string) => StoredMessage | Promise<StoredMessage>,
): Store {
  return storeWith(store, {
    records: {
      read: async (address, version) => {
        const read = await store.records.read(address, version);
        return read.stored === null ? read : { ...read, stored: await alter(read.stored, address.id) };
      },
    },
  });
}

/** The message with another last byte, whatever it was. */
export function lastByteAltered(message: Uint8Array): Uint8Array {
  const altered = Buffer.from(message);
  altered[altered.length - 1]! ^= 1;
  return altered;
}
