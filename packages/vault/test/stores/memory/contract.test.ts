/**
 * The memory store passes the contract, as it is and without what can be taken from it.
 */
import { MemoryStorage, memoryStore } from "@strongroom/vault/memory";
import { storeContract } from "@strongroom/vault/store-contract";
import type { ContractStorage } from "@strongroom/vault/store-contract";

function newStorage(capabilities: { readonly atomicUnits?: number } = {}): Promise<ContractStorage> {
  const storage = new MemoryStorage();
  let passed = 0;
  const clock = (): Date => new Date(Date.now() + passed);
  return Promise.resolve({
    open: () => Promise.resolve(memoryStore({ storage, clock, capabilities })),
    passTime: (ms) => {
      passed += ms;
      return Promise.resolve();
    },
    begin: async () => {
      const transaction = await storage.begin();
      return {
        client: transaction,
        commit: async () => {
          transaction.commit();
        },
        rollback: async () => {
          transaction.rollback();
        },
      };
    },
  });
}

storeContract("memory", () => newStorage(), { capabilities: { callerTransaction: true } });
storeContract("memory without transactions of several units", () => newStorage({ atomicUnits: 1 }), {
  capabilities: { callerTransaction: true, atomicUnits: 1 },
});
