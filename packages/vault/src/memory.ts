/**
 * @strongroom/vault/memory: stores of records and of keys, and a log of the audit, in memory, for tests.
 */
export { MemoryAuditStorage } from "./stores/memory/log-tables.ts";
export { memoryAuditLog } from "./stores/memory/memory-audit-log.ts";
export type { MemoryAuditLogOptions } from "./stores/memory/memory-audit-log.ts";
export { memoryKeyStore } from "./stores/memory/memory-key-store.ts";
export type { MemoryKeyStoreOptions } from "./stores/memory/memory-key-store.ts";
export { MemoryKeyStorage } from "./stores/memory/key-tables.ts";
export { DEFAULT_MEMORY_LIMITS, memoryStore } from "./stores/memory/memory-store.ts";
export type { MemoryLimits, MemoryStoreOptions } from "./stores/memory/memory-store.ts";
export { MemoryStorage } from "./stores/memory/memory-storage.ts";
export type { MemoryTransaction } from "./stores/memory/memory-storage.ts";
