/**
 * Storage in memory as the contract of a store asks for it.
 */
import {
  memoryAuditLog,
  MemoryAuditStorage,
  memoryKeyStore,
  MemoryKeyStorage,
  MemoryStorage,
  memoryStore,
} from "@strongroom/vault/memory";
import type { MemoryLimits } from "@strongroom/vault/memory";
import type { ContractStorage } from "@strongroom/vault/store-contract";
import type { AuditLog } from "../../src/stores/audit-log.ts";
import type { KeyStore } from "../../src/stores/key-store.ts";
import type { Store } from "../../src/stores/store.ts";

/** How a test departs from the usual. */
export interface MemoryContractOptions<Kind = Store> {
  readonly capabilities?: Partial<MemoryLimits>;
  /** Changes each store that is opened. */
  readonly alter?: (store: Kind) => Kind;
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

export function memoryKeyContractStorage(
  options: Omit<MemoryContractOptions<KeyStore>, "capabilities"> = {},
): Promise<ContractStorage<KeyStore>> {
  const { alter = (store: KeyStore) => store, clock = (now: number) => now } = options;
  const storage = new MemoryKeyStorage();
  let passed = 0;
  return Promise.resolve({
    open: async () => alter(memoryKeyStore({ storage, clock: () => new Date(clock(Date.now() + passed)) })),
    passTime: async (ms) => {
      passed += ms;
    },
  });
}

export function memoryLogContractStorage(
  options: Omit<MemoryContractOptions<AuditLog>, "capabilities"> = {},
): Promise<ContractStorage<AuditLog>> {
  const { alter = (log: AuditLog) => log, clock = (now: number) => now } = options;
  const storage = new MemoryAuditStorage();
  let passed = 0;
  return Promise.resolve({
    open: async () => alter(memoryAuditLog({ storage, clock: () => new Date(clock(Date.now() + passed)) })),
    passTime: async (ms) => {
      passed += ms;
    },
  });
}
