/**
 * @strongroom/vault: records of personal data, each version one message bound to its address.
 */
export { openVault } from "./vault.ts";
export type { VaultOptions } from "./options.ts";
export type { Vault } from "./vault.ts";
export { DEFAULT_VAULT_LIMITS } from "./limits.ts";
export type { VaultLimits } from "./limits.ts";

export { MAX_ID_BYTES, parseAddress, parseCollection, parseId, parseSubject, parseVersion } from "./records/address.ts";
export type { Address, AddressInput, Collection, RecordId, Subject, Version } from "./records/address.ts";
export type {
  NotJson,
  NotList,
  Storable,
  StorableMembers,
  StorableValue,
  TypedCollection,
} from "./records/collection.ts";
export { parseDocument, parseJson } from "./records/document.ts";
export type { DocumentLimits, JsonObject, JsonValue } from "./records/document.ts";
export { DEFAULT_LIST_LIMIT } from "./records/pages.ts";
export type { CollectionCount, DamagedRecord, DebtPage, ListOptions, ListResult } from "./records/pages.ts";
export type { OnExisting, PutManyItem, PutManyOptions, PutManyResult } from "./records/put-many.ts";
export type { GetOptions, VaultRecord, VersionInfo } from "./records/read.ts";
export { versionContext } from "./records/version.ts";
export type { VersionAddress } from "./records/version.ts";
export type { Expectation, PutOptions, PutResult, RemoveOptions, RemoveResult, WrapSummary } from "./records/write.ts";

export type { RepairOptions, RepairStatus } from "./repair/repair-worker.ts";
export { DEFAULT_REPAIR_SETTINGS } from "./repair/schedule.ts";
export type { RegionHealth, RepairSettings } from "./repair/schedule.ts";

export type {
  Change,
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  CommitResult,
  Head,
  DebtPosition,
  FoundCollection,
  FoundDebt,
  HeadState,
  ListedRecord,
  MissingWrap,
  OwedVersion,
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

export { isVaultError, VAULT_ERRORS, VaultError } from "./errors.ts";
export type { RegionReason, VaultErrorCode, VaultErrorDetails } from "./errors.ts";
