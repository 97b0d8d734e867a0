/**
 * @strongroom/vault/memory: stores of records and of keys in memory, for tests.
 */
export { memoryKeyStore } from "./stores/memory/memory-key-store.ts";
export type { MemoryKeyStoreOptions } from "./stores/memory/memory-key-store.ts";
export { MemoryKeyStorage } from "./stores/memory/key-tables.ts";
export { DEFAULT_MEMORY_LIMITS, memoryStore } from "./stores/memory/memory-store.ts";
export type { MemoryLimits, MemoryStoreOptions } from "./stores/memory/memory-store.ts";
export { MemoryStorage } from "./stores/memory/memory-storage.ts";
export type { MemoryTransaction } from "./stores/memory/memory-storage.ts";
