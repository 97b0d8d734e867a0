/**
 * @strongroom/vault/memory: the store in memory, for tests.
 */
export { DEFAULT_MEMORY_LIMITS, memoryStore } from "./stores/memory/memory-store.ts";
export type { MemoryLimits, MemoryStoreOptions } from "./stores/memory/memory-store.ts";
export { MemoryStorage } from "./stores/memory/memory-storage.ts";
export type { MemoryTransaction } from "./stores/memory/memory-storage.ts";
