/**
 * What is done to a database, each within the writer's transaction and at once: a row for each. What changes nothing is
 * answered as undone, so that it costs no commit.
 */
import type { Epoch } from "../gate.ts";
import type { RewrapResult } from "../inventory.ts";
import type { Lease, Leased, Progress } from "../jobs.ts";
import type { VersionPlace } from "../rows.ts";
import type { Outcome, Unit, UnitResult } from "../units.ts";
import { flipGate } from "./gate-row.ts";
import type { Connection } from "./statements.ts";
import type { TakenRewrap, TakenUnit } from "./units-taken.ts";
import { fail, rewrap } from "./write-inventory.ts";
import { addPartitions, savePartition, takePartition, wakeJob } from "./write-jobs.ts";
import type { Next } from "./write-jobs.ts";
import { applyTogether, settle, Undone } from "./write-records.ts";

/** Name -> what it is given, and what it answers. */
export interface Operations {
  readonly apply: (units: readonly TakenUnit[]) => readonly UnitResult[];
  readonly outcome: (units: readonly Pick<Unit, "address" | "writeId">[]) => readonly Outcome[];
  readonly flip: (change: { readonly from: Epoch; readonly digest: string }) => "flipped" | "moved";
  readonly rewrap: (change: TakenRewrap) => RewrapResult;
  readonly fail: (
    lease: Lease,
    place: VersionPlace,
    failure: { readonly code: string; readonly at: string; readonly waitMs: number },
  ) => undefined;
  readonly addPartitions: (job: string, partitions: readonly string[]) => undefined;
  readonly takePartition: (request: {
    readonly job: string;
    readonly holder: string;
    readonly ms: number;
  }) => Leased | null;
  readonly savePartition: (lease: Lease, progress: Progress, next: Next) => "saved" | "overtaken";
  readonly wakeJob: (job: string) => undefined;
}

export type OperationName = keyof Operations;
export type Given<Name extends OperationName> = Parameters<Operations[Name]>;
export type Answer<Name extends OperationName> = ReturnType<Operations[Name]>;

const changed = <Result>(result: Result, is: boolean): Result | Undone<Result> => (is ? result : new Undone(result));

/** Name -> how it is done. */
export const OPERATIONS: {
  readonly [Name in OperationName]: (
    connection: Connection,
    ...given: Given<Name>
  ) => Answer<Name> | Undone<Answer<Name>>;
} = {
  apply: applyTogether,
  outcome: (connection, units) => units.map((unit) => settle(connection, unit)),
  flip: (connection, change) => {
    const result = flipGate(connection, change);
    return changed(result, result === "flipped");
  },
  rewrap: (connection, change) => {
    const result = rewrap(connection, change);
    return changed(result, result.kind === "made");
  },
  fail: (connection, lease, place, failure) => {
    fail(connection, lease, place, failure);
    return undefined;
  },
  addPartitions: (connection, job, partitions) => {
    addPartitions(connection, job, partitions);
    return undefined;
  },
  takePartition: (connection, request) => {
    const leased = takePartition(connection, request);
    return changed(leased, leased !== null);
  },
  savePartition: (connection, lease, progress, next) => {
    const result = savePartition(connection, lease, progress, next);
    return changed(result, result === "saved");
  },
  wakeJob: (connection, job) => {
    wakeJob(connection, job);
    return undefined;
  },
};
