// What the package offers: a KMS in this process.

export { createKms } from "./kms.ts";
export type { ClientConfig, Kms } from "./kms.ts";
export { KMS_DEFAULTS } from "./options.ts";
export type { KmsOptions } from "./options.ts";
export type { RootKeySource } from "./crypto/root-key.ts";
export { KMS_ERRORS, KmsError } from "./errors.ts";
export type { KmsErrorCode } from "./errors.ts";
export { AdjustableClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { FAULT_KINDS } from "./faults/fault.ts";
export type { Fault, FaultKind } from "./faults/fault.ts";
export type { ActiveFault, FaultPlan } from "./faults/fault-plan.ts";
export { rekey } from "./upkeep/rekey.ts";
export type { RekeyOptions, RekeyReport } from "./upkeep/rekey.ts";
export { backup } from "./upkeep/backup.ts";
export type { BackupReport } from "./upkeep/backup.ts";
export { restore } from "./upkeep/restore.ts";
export type { RestoreOptions, RestoreReport } from "./upkeep/restore.ts";
export { acceptRows } from "./upkeep/accept-rows.ts";
export type { AcceptRowsOptions, AcceptRowsReport } from "./upkeep/accept-rows.ts";
export { verifyAudit } from "./upkeep/verify.ts";
export type { Contents } from "./upkeep/verify.ts";
export type { SeedReport } from "./seed/apply-seed.ts";
export type { SeedSource } from "./seed/read-seed.ts";
export type { SeedDocument, SeedKeyDocument } from "./seed/seed-document.ts";
export { seedDataDir } from "./seed/apply-seed.ts";
export type { SeedOptions } from "./seed/apply-seed.ts";
