/**
 * @strongroom/vault: records of personal data, each version one message bound to its address.
 */
export { createVault } from "./create-vault.ts";
export type { AppVault, CreateVaultOptions, Declared, DeclaredCollection, OfApplication } from "./create-vault.ts";
export type { PreparedBefore, TransactionClient, TransactionPool } from "./transaction.ts";
export { openVault } from "./open-vault.ts";
export type { AuditAlarm, AuditOptions, ErasureOptions, VaultOptions } from "./options.ts";
export type { ActingVault, Vault } from "./vault.ts";
export { DEFAULT_VAULT_LIMITS } from "./limits.ts";
export type { VaultLimits } from "./limits.ts";

export { parseTenant } from "./collections/declaration.ts";
export type { CollectionOptions } from "./collections/declaration.ts";
export { fieldProblems } from "./collections/fields.ts";
export type { CompoundIndexOptions, FieldOptions } from "./collections/fields.ts";
export { defineCollection } from "./collections/handle.ts";
export type { AnyCollection, CollectionHandle, DocumentOf, FoundBy, InputOf } from "./collections/handle.ts";
export { isSchemaInput } from "./collections/schema.ts";
export type { JsonSchema, SchemaInput } from "./collections/schema.ts";
export { masked } from "./masks/masks.ts";
export type { MaskKind } from "./masks/masks.ts";
export { MOST_FIELDS } from "./roles/access.ts";
export type { Roles } from "./roles/access.ts";
export { parseRoles } from "./roles/parse-roles.ts";
export { seen } from "./roles/seen.ts";
export { ACTIONS, decide, STANDING_ROLES } from "./roles/policy.ts";
export type {
  Action,
  Decision,
  GrantOptions,
  Policy,
  PolicyRequest,
  RoleOptions,
  RolesOptions,
  Rule,
} from "./roles/policy.ts";
export type { ReadOptions, ShownFindOptions } from "./roles/read-options.ts";
export type { ShownPage, ShownRecord } from "./roles/shown.ts";
export { Sealed } from "./sealed/sealed.ts";
export { sealFields } from "./sealed/sealed-fields.ts";
export type { SealedObject, SealedRecord, SealedValue } from "./sealed/sealed-fields.ts";
export type { SubjectKeyCounts, Tenant } from "./keys/subject-keys.ts";
export { DEFAULT_KEY_CACHE } from "./options.ts";
export type { KeyCacheSettings, KeysOptions } from "./options.ts";

export {
  MAX_ABOUT,
  MAX_ID_BYTES,
  parseAddress,
  parseCollection,
  parseId,
  parseSubject,
  parseVersion,
} from "./records/address.ts";
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
export type { CollectionCount, DamagedRecord, ListOptions, ListResult } from "./records/pages.ts";
export type { PreparedWrite } from "./records/prepared.ts";
export type { OnExisting, PutManyResult } from "./records/batch-plan.ts";
export type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
export type { GetOptions, RecordVersion, VaultRecord, VersionInfo } from "./records/read.ts";
export { versionContext } from "./records/version.ts";
export type { VersionAddress } from "./records/version.ts";
export type { WhomOptions } from "./records/whom.ts";
export type { Expectation, PutOptions, PutResult, RemoveOptions, RemoveResult, WrapSummary } from "./records/write.ts";

export { isAboutName, nameCommitment, verifyCertificate } from "./erasure/certificate.ts";
export type { CertificateFacts, Remainder, VerifiedCertificate, WrappingKeyState } from "./erasure/certificate.ts";
export type { EraseOptions, ErasureResult, Erasures, ErasureUnderWay, Hold, HoldOptions } from "./erasure/erasures.ts";
export type { DescribeWrappingKey, Recoverable, SecondStage } from "./erasure/second-stage.ts";
export { parseLedgerLine } from "./erasure/ledger.ts";
export type { LedgerLine } from "./erasure/ledger.ts";
export type { LedgerCopy } from "./erasure/ledgers.ts";
export type { ErasureStep, HoldFile } from "./erasure/person-files.ts";
export type { WhoseOptions } from "./erasure/whose.ts";

export type { RestoredBackup } from "./audit/accept-restore.ts";
export type { Actor } from "./audit/auditor.ts";
export { AUDIT_ACTIONS } from "./audit/entry.ts";
export type { AuditAction, AuditResult, EntryKmsCall } from "./audit/entry.ts";
export type {
  AccessLog,
  AuditEvent,
  AuditPage,
  AuditQuery,
  AuditRecord,
  AuditStatus,
  LogReport,
  ToldFacts,
  VaultAudit,
} from "./audit/view.ts";
export type { AuditLog, LogState } from "./stores/audit-log.ts";
export type { Approval, Approvals, ApprovedAct } from "./approvals/approvals.ts";
export { openStatement } from "./audit/statements.ts";
export type { OpenedStatement, SignedStatement, StatedFacts, StatedValue, Statement } from "./audit/statements.ts";
export { verifyAccessLog } from "./audit/access-log.ts";
export { setBackStores } from "./audit/set-back-stores.ts";
export type { SetBackOptions, SetBackStore } from "./audit/set-back-stores.ts";
export { verifyAuditLog } from "./audit/verify-log.ts";
export type { VerifyLogOptions } from "./audit/verify-log.ts";
export { kmsCheckpointSigner } from "./audit/kms-signer.ts";
export type { KmsSignerOptions, SigningCallOptions, SigningKmsClient } from "./audit/kms-signer.ts";
export type { CheckpointSigner } from "./audit/signer.ts";
export { fileWitness, objectWitness, urlWitness } from "./audit/witness.ts";
export type {
  FileWitnessPlace,
  FoundObject,
  FoundVersions,
  GetObjectInput,
  ListVersionsInput,
  ObjectCallOptions,
  ObjectStoreClient,
  ObjectWitnessOptions,
  PutObjectInput,
  Seen,
  SignedHead,
  Witness,
  WitnessedLog,
} from "./audit/witness.ts";

export type {
  RestrictOptions,
  SubjectListOptions,
  SubjectOptions,
  SubjectRecordsPage,
  Subjects,
} from "./subjects/subjects.ts";
export type { PurposeOptions } from "./collections/purposes.ts";
export type { RetentionOptions, RightsOptions } from "./collections/rights.ts";
export type { Consent, ConsentOptions } from "./rights/consents.ts";
export type { ExposedPerson, ExposedRecord, Exposure, ExposureOptions } from "./rights/exposure.ts";
export type { HeldCollection, HeldRecord, PersonHeld } from "./rights/held.ts";
export type {
  PersonExportItem,
  PersonExportOptions,
  PersonExportPage,
  WithheldReason,
} from "./rights/person-export.ts";
export { processingMarkdown } from "./rights/processing-report.ts";
export type { ProcessedCollection, ProcessingReport } from "./rights/processing-report.ts";
export type { Recipient } from "./rights/recipients.ts";
export type { Rectified, RectifyOptions } from "./rights/rectify.ts";
export type { Retention, RetentionLine, RetentionReport, RetentionRunOptions } from "./retention/retention.ts";
export type { RetentionWorkerOptions } from "./retention/retention.ts";
export type { Rights, ShowOptions } from "./rights/rights.ts";
export { DEFAULT_FIND_LIMIT } from "./search/find.ts";
export type { FindExplanation, FindOptions, FindResult, FoundCount } from "./search/find.ts";
export type { FieldQuery, FindQuery } from "./search/query.ts";
export type { IndexesApplied } from "./search/apply.ts";
export type { Duplicate, Unopened } from "./search/build.ts";
export type { DocumentsLooked, Unfit } from "./search/documents.ts";
export { isTooMuch, leakageOf } from "./search/leakage.ts";
export type { IndexLeakage } from "./search/leakage.ts";
export type { IndexPlanLine, IndexStep } from "./search/plan-indexes.ts";
export { reopenIndexes } from "./search/reopen-indexes.ts";
export type { IndexApplyOptions, IndexPlan, IndexPlanOptions, VaultIndexes } from "./search/vault-indexes.ts";

export { MOST_SEEN } from "./convergence/debt.ts";
export { FLEET_PREFIX } from "./convergence/fleet.ts";
export type { DebtSeen, WrapDebt } from "./convergence/debt.ts";
export type { DamagedDebt, DebtPage, Owed, OwedKey, OwedVersion } from "./convergence/debts.ts";
export type { RepairStatus } from "./convergence/worker.ts";
export type { RepairOptions } from "./convergence/repairs.ts";
export { DEFAULT_REPAIR_SETTINGS } from "./convergence/schedule.ts";
export type { RegionHealth, RepairSettings } from "./convergence/schedule.ts";
export type {
  ConvergenceFailure,
  ConvergenceRun,
  ConvergenceStatus,
  Convergence,
  ConvergencePlan,
  ConvergeOptions,
  FailurePage,
  FleetMember,
  Forecast,
  InventoryLine,
  KeyProbe,
  ShredExclusion,
  ShredProof,
  ShredState,
  WrappingKeyFate,
  AskedWrappingKey,
  PlanLine,
  PlanProblem,
  PlanWrap,
  RunPhase,
  RunProgress,
  ScopePlan,
  StorePlan,
  WrappedStore,
} from "./convergence/view.ts";

export { keyCostBetween } from "./keys/cost.ts";
export type { KeyCost, ScopeCalls } from "./keys/cost.ts";
export { wrapsOf } from "./keys/wraps.ts";
export { keySetDigest, MAX_KEY_NAME_BYTES, MAX_KEY_SET_NAMES } from "./keys/key-set.ts";
export type { KeySetInput } from "./keys/key-set.ts";
export type { KeySetStatus, KnownKeySet } from "./keys/key-sets.ts";
export { keySetsOf } from "./keys/key-sets-of.ts";
export type { GateKeySets, KeySetNames } from "./keys/key-sets-of.ts";
export { pairProblem } from "./keys/pair.ts";
export type { JobSummary } from "./jobs.ts";

export { bucketOf } from "./stores/bucket.ts";
export { STORE_READER, STORE_WRITER } from "./stores/gate.ts";
export type { Epoch, Gate, GateState } from "./stores/gate.ts";
export { BUCKETS } from "./stores/inventory.ts";
export type {
  BucketRange,
  Failure,
  Inventory,
  InventoryItem,
  InventoryPage,
  KnownWrapSet,
  Rewrap,
  RewrapResult,
  WrapSetCount,
} from "./stores/inventory.ts";
export { MAX_CREATIONS, MAX_KEY_WRAPS, MAX_WRAP_BYTES } from "./stores/key-limits.ts";
export { KEY_KINDS } from "./stores/key-store.ts";
export type {
  Creation,
  CreationResult,
  KeyKind,
  KeyName,
  KeyPlace,
  KeyRead,
  KeyRewrap,
  KeyRow,
  KeyRows,
  KeyStore,
  KeyVersion,
  KeyWrap,
  NameRow,
  NewKey,
} from "./stores/key-store.ts";
export type { AppendResult, Outbox, OutboxEntry, StreamRow, UnitEntry, WaitingEntry } from "./stores/outbox.ts";
export { MAX_TAGS } from "./stores/indexes.ts";
export type {
  Filling,
  FillResult,
  IndexId,
  Indexes,
  IndexRow,
  IndexState,
  Tag,
  TagFrequency,
  TaggedRecord,
  TagQuery,
} from "./stores/indexes.ts";
export type { DroppedKept, KeptItem, KeptMessages } from "./stores/kept.ts";
export { MAX_NOTE_BYTES, MAX_NOTE_NAME } from "./stores/notes.ts";
export type { Note, Notes } from "./stores/notes.ts";
export type { JobPartition, JobStore, Lease, Leased, Progress } from "./stores/jobs.ts";
export type {
  FoundCollection,
  Head,
  HeadState,
  ListedRecord,
  ListPage,
  RecordRead,
  RecordRows,
  RecordVersions,
  Scheme,
  Stamp,
  StoredMessage,
  VersionPlace,
  VersionRow,
  VersionsPage,
  WrapCount,
} from "./stores/rows.ts";
export type { ApplyOptions, CallerTransaction, Capabilities, RecordStore, Store, SubjectRows } from "./stores/store.ts";
export { isSubjectId } from "./stores/subjects.ts";
export type {
  Scope,
  SubjectId,
  SubjectRecord,
  SubjectRow,
  SubjectScope,
  SubjectsPage,
  SubjectState,
  UnitSubject,
} from "./stores/subjects.ts";
export { MAX_SEALED_BYTES, MAX_UNIT_SUBJECTS } from "./stores/unit-people.ts";
export type { NewVersion, Outcome, RemoveChange, Unit, UnitResult, WriteChange, WriteId } from "./stores/units.ts";
export { parseWrapSet, wrapSetDigest, wrapSetForm } from "./stores/wrap-set.ts";
export type { MissingWrap, Wrap, WrapSet, WrapSetId } from "./stores/wrap-set.ts";

export { VERIFY_CODES, VERIFY_PARTS } from "./verify/report.ts";
export type {
  VerifyCode,
  VerifyCounts,
  VerifyFinding,
  VerifyOptions,
  VerifyPart,
  VerifyPlace,
  VerifyProgress,
  VerifyReport,
} from "./verify/report.ts";

export { isVaultError, VAULT_ERRORS, VaultError } from "./errors.ts";
export type { FieldProblem, RegionReason, VaultErrorCode, VaultErrorDetails } from "./errors.ts";
