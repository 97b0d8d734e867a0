import assert from "node:assert/strict";
import { DEFAULT_MEMORY_LIMITS, MemoryStorage, memoryStore, type MemoryStoreOptions } from "@strongroom/vault/memory";

export const use = async (): Promise<void> => {
  const options: MemoryStoreOptions = { storage: new MemoryStorage(), capabilities: DEFAULT_MEMORY_LIMITS };
  const [one, other] = [memoryStore(options), memoryStore(options)];
  await one.jobs.add("repair", ["all"]);
  assert.equal((await other.jobs.list()).length, 1);
  await Promise.all([one.close(), other.close()]);
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a clock answers a Date
  memoryStore({ clock: () => 42 });
  // @ts-expect-error a store is not a number
  memoryStore() satisfies number;
}
