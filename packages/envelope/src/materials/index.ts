/**
 * @strongroom/envelope/materials: for a materials manager of your own, and for watching the caching one.
 */
export { CACHING_DEFAULTS, cachingMaterials } from "./caching-materials.ts";
export type { CachingMaterials, CachingOptions } from "./caching-materials.ts";
export { MATERIALS_CACHE_CHANNEL } from "./materials-cache.ts";
export type { CacheCounts, CacheEvent, EvictionReason } from "./materials-cache.ts";
export type {
  CommitmentPolicy,
  DecryptionMaterialsRequest,
  EncryptionMaterialsRequest,
  HeaderMemory,
  KeySource,
  MaterialsManager,
} from "./materials-manager.ts";
export type { CompleteDecryptionMaterials, CompleteEncryptionMaterials } from "../keyrings/keyring.ts";
