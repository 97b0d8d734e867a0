/**
 * @strongroom/client: a typed client of Strongroom's HTTP API. Runs wherever there is `fetch`.
 */
export type { AccessLog, Audit, AuditAction, AuditEvent, AuditQuery, AuditStatus, ExportEnd } from "./audit.ts";
export type {
  Convergence,
  ConvergenceFailure,
  ConvergencePlan,
  ConvergenceRun,
  ConvergenceStatus,
  ConvergeOptions,
  FollowOptions,
  Forecast,
  InventoryLine,
  KeyProbe,
} from "./convergence.ts";
export { createClient } from "./client.ts";
export type {
  BatchItem,
  BatchResult,
  Client,
  CollectionInfo,
  DocumentInput,
  Job,
  JsonObject,
  KeyCost,
  ListedRecord,
  OnExisting,
  Owed,
  PutOptions,
  GetOptions,
  PutResult,
  Readiness,
  Records,
  RegionReport,
  RegionsReport,
  RemoveResult,
  StoredRecord,
  VersionInfo,
  Whom,
} from "./client.ts";
export { DEFAULT_MAX_ANSWER_BYTES, DEFAULT_TIMEOUT_MS } from "./call.ts";
export { DEFAULT_RETRIES } from "./retry.ts";
export type { CallOptions, ClientOptions, Why } from "./call.ts";
export type { Damaged, Listing, Page, PageOptions } from "./paging.ts";
export { CLIENT_ERRORS, ClientError, isClientError } from "./errors.ts";
export type {
  ClientErrorCode,
  ClientErrorDetails,
  ClientErrorRow,
  Outcome,
  OwnErrorCode,
  ServiceErrorCode,
} from "./errors.ts";
export type { Approval, Approvals, ApprovedAct } from "./approvals.ts";
export type {
  FieldQuery,
  FieldRange,
  FindExplanation,
  Finding,
  FindOptions,
  FindQuery,
  FoundCount,
  FoundRecord,
} from "./find.ts";
export type {
  Exposure,
  People,
  PersonConsent,
  PersonExportItem,
  PersonHeld,
  PersonOptions,
  PersonRecipient,
  ProcessingReport,
  Rectified,
  RetentionReport,
} from "./people.ts";
export type { Indexes, IndexLeakage, IndexOptions, IndexPlanLine, IndexWork } from "./indexes.ts";
export type { Certificate, EraseRequest, ErasureResult, Erasures, ErasureUnderWay, Hold } from "./erasure.ts";
