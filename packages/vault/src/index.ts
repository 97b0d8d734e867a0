/**
 * @strongroom/vault: records of personal data, each version one message bound to its address.
 */
export { openVault, DEFAULT_LIST_LIMIT } from "./vault.ts";
export type { GetOptions, ListOptions, PutOptions, RemoveOptions, Vault, VaultOptions } from "./vault.ts";
export type { OnExisting, PutManyItem, PutManyOptions } from "./put-many.ts";
export type { Expectation } from "./expectation.ts";
export type {
  DebtPage,
  ListResult,
  PutManyResult,
  PutResult,
  RemoveResult,
  VaultRecord,
  VersionInfo,
  WrapSummary,
} from "./results.ts";

export { MAX_ID_BYTES, parseAddress, parseCollection, parseId, parseSubject, parseVersion } from "./address.ts";
export type { Address, AddressInput, Collection, RecordId, Subject, Version } from "./address.ts";
export { parseDocument, parseJson } from "./document.ts";
export type { DocumentLimits, JsonObject, JsonValue } from "./document.ts";
export { versionContext } from "./version-context.ts";
export type { VersionAddress } from "./version-context.ts";
export { DEFAULT_REPAIR_SETTINGS } from "./repair/settings.ts";
export type { RepairSettings } from "./repair/settings.ts";
export type { RepairOptions } from "./repair/repair-worker.ts";
export type { RegionSight } from "./repair/region-gate.ts";
export type { RepairStatus } from "./repair/status.ts";
export { DEFAULT_VAULT_LIMITS } from "./limits.ts";
export type { VaultLimits } from "./limits.ts";

export type {
  Change,
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  CollectionCount,
  CommitResult,
  Head,
  HeadState,
  ListedRecord,
  MissingWrap,
  OwedVersion,
  RecordHead,
  RecordRead,
  RecordRows,
  RecordStore,
  RecordVersions,
  RemoveChange,
  RepairChange,
  RepairResult,
  StoredMessage,
  VersionPlace,
  VersionRow,
  WrapCount,
  WrapDebt,
  WriteChange,
} from "./store.ts";

export { VAULT_ERRORS, VaultError } from "./errors.ts";
export type { RegionReason, VaultErrorCode, VaultErrorDetails } from "./errors.ts";
