/**
 * Storage in memory as the contract of a store asks for it.
 */
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import type { MemoryLimits } from "@strongroom/vault/memory";
import type { ContractStorage } from "@strongroom/vault/store-contract";
import type { Store } from "../../src/stores/store.ts";

/** How a test departs from the usual. */
export interface MemoryContractOptions {
  readonly capabilities?: Partial<MemoryLimits>;
  /** Changes each store that is opened. */
  readonly alter?: (store: Store) => Store;
  /** What the stores are told of the time. */
  readonly clock?: (now: number) => number;
}

export function memoryContractStorage(options: MemoryContractOptions = {}): Promise<ContractStorage> {
  const { capabilities = {}, alter = (store: Store) => store, clock = (now: number) => now } = options;
  const storage = new MemoryStorage();
  let passed = 0;
  const now = (): Date => new Date(clock(Date.now() + passed));
  return Promise.resolve({
    open: async () => alter(memoryStore({ storage, clock: now, capabilities })),
    passTime: async (ms) => {
      passed += ms;
    },
    begin: async () => {
      const client = await storage.begin();
      return {
        client,
        commit: async () => {
          client.commit();
        },
        rollback: async () => {
          client.rollback();
        },
      };
    },
  });
}
