/**
 * @strongroom/vault/moving: moves columns of an application's table into the vault, in stages, beside live traffic.
 */
export { back, cutOver, drop, fill, plan, start, verify } from "./moving/move.ts";
export type { MoveOptions, StepResult } from "./moving/move.ts";
export { dualWrite } from "./moving/dual-write.ts";
export type { DualWrite, DualWriteOptions } from "./moving/dual-write.ts";
export { postgresDatabase, sqliteDatabase } from "./moving/database.ts";
export type { DatabaseRow, MoveDatabase, Run } from "./moving/database.ts";
export type { MoveColumn, MoveDefinition } from "./moving/definition.ts";
export type { PlannedColumn, PlannedMove } from "./moving/plan-move.ts";
export type { RefusedRow } from "./moving/backfill.ts";
export { STAGES } from "./moving/stages.ts";
export type { MoveStage, StageRow } from "./moving/stages.ts";
export { MoveStates } from "./moving/states.ts";
export type { Held, MoveCounts, MoveProgress, MoveState, VerifiedMove } from "./moving/states.ts";
export type { MoveStepProgress, StepOptions } from "./moving/step.ts";
export { isOfOneRecord, vaultTarget } from "./moving/target.ts";
export type { MovedDocument, MoveTarget, StoredDocument, WriteOutcome } from "./moving/target.ts";
export type { MoveFinding, MoveVerdict } from "./moving/verify-move.ts";
export type { MessageOpener } from "./moving/messages.ts";
