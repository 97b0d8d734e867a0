/**
 * What is done to a database, each within the writer's transaction and at once: a table for each kind of file, with a
 * row for each operation. What changes nothing is answered as undone, so that it costs no commit.
 */
import type { LogState, PositionRange } from "../audit-log.ts";
import type { Address } from "../../records/address.ts";
import type { Epoch } from "../gate.ts";
import type { Purge } from "../index-limits.ts";
import type { FillResult, IndexRow } from "../indexes.ts";
import type { RewrapResult } from "../inventory.ts";
import type { Lease, Leased, Progress } from "../jobs.ts";
import type { KeptDrop, Restore } from "../kept-limits.ts";
import type { CreationResult, KeyDrop, KeyPlace, NameRetag } from "../key-store.ts";
import type { NoteChange } from "../note-limits.ts";
import type { AppendResult, StreamRow } from "../outbox.ts";
import type { VersionPlace } from "../rows.ts";
import type { SubjectId, SubjectState } from "../subjects.ts";
import type { Outcome, Unit, UnitResult } from "../units.ts";
import type { TakenAddition } from "./addition-taken.ts";
import { replaceCheckpoint } from "./checkpoint-row.ts";
import type { TakenEntries } from "./entries-taken.ts";
import { bindGate, flipGate } from "./gate-row.ts";
import type { TakenCreation, TakenKeyRewrap } from "./keys-taken.ts";
import { changeIndexes } from "./index-rows.ts";
import { setPublished } from "./log-state.ts";
import type { Connection } from "./statements.ts";
import type { FileKind } from "./store-file.ts";
import { setSubjectState } from "./subject-rows.ts";
import type { TakenTags } from "./tags-taken.ts";
import { changed } from "./undone.ts";
import type { Undone } from "./undone.ts";
import type { TakenFilling, TakenRewrap, TakenUnit } from "./units-taken.ts";
import { versionItem } from "./version-item.ts";
import { note } from "./write-inventory.ts";
import type { NewFailure } from "./write-inventory.ts";
import { dropKept, restoreKept } from "./write-kept.ts";
import { replaceNote } from "./write-notes.ts";
import { addPartitions, savePartition, takePartition, wakeJob } from "./write-jobs.ts";
import type { Next } from "./write-jobs.ts";
import { createAll, dropKey, eraseOwners, keyItem, retagName, rewrapKey } from "./write-keys.ts";
import { forget, integrate } from "./write-log.ts";
import { appendAll, closeStreams, dropEntries } from "./write-outbox.ts";
import { applyTogether, rewrapVersion, settle } from "./write-records.ts";
import { fillTags, forgetTags, purgeTags } from "./write-tags.ts";

/** Name -> what an operation is given, and what it answers. */
export type Operations<Own> = { readonly [Name in keyof Own]: (...given: never) => unknown };
export type Given<Own extends Operations<Own>, Name extends keyof Own> = Parameters<Own[Name]>;
export type Answer<Own extends Operations<Own>, Name extends keyof Own> = ReturnType<Own[Name]>;

/** Of every file. */
export interface CommonOperations {
  readonly flip: (change: { readonly from: Epoch; readonly digest: string }) => "flipped" | "moved";
  readonly bind: (peer: string) => string;
  readonly addPartitions: (job: string, partitions: readonly string[]) => undefined;
  readonly takePartition: (request: {
    readonly job: string;
    readonly holder: string;
    readonly ms: number;
  }) => Leased | null;
  readonly savePartition: (lease: Lease, progress: Progress, next: Next) => "saved" | "overtaken";
  readonly wakeJob: (job: string) => undefined;
}

/** Of files that have an outbox. */
export interface OutboxOperations extends CommonOperations {
  readonly append: (entries: TakenEntries, active: readonly SubjectId[]) => AppendResult;
  readonly drop: (positions: readonly bigint[]) => undefined;
  readonly closeStreams: (streams: readonly Pick<StreamRow, "stream" | "last">[]) => undefined;
}

export interface RecordOperations extends OutboxOperations {
  readonly apply: (units: readonly TakenUnit[], audit: TakenEntries, tags: TakenTags) => readonly UnitResult[];
  readonly outcome: (units: readonly Pick<Unit, "address" | "writeId">[]) => readonly Outcome[];
  readonly rewrap: (change: TakenRewrap) => RewrapResult;
  readonly fail: (lease: Lease, place: VersionPlace, failure: NewFailure) => undefined;
  readonly restore: (change: Restore) => RewrapResult;
  readonly dropKept: (drop: KeptDrop) => undefined;
  readonly replaceNote: (change: NoteChange) => "replaced" | "overtaken";
  readonly setState: (change: {
    readonly id: SubjectId;
    readonly from: readonly SubjectState[];
    readonly to: SubjectState;
  }) => SubjectState;
  readonly changeIndexes: (change: { readonly from: Epoch; readonly set: readonly IndexRow[] }) => "changed" | "moved";
  readonly fillTags: (
    fill: { readonly fillings: readonly TakenFilling[]; readonly lease: Lease | null },
    tags: TakenTags,
  ) => readonly FillResult[];
  readonly forgetTags: (addresses: readonly Address[]) => undefined;
  readonly purgeTags: (purge: Purge) => number;
}

export interface KeyOperations extends OutboxOperations {
  readonly replaceCheckpoint: (note: string, seen: string | null) => "replaced" | "overtaken";
  readonly create: (creations: readonly TakenCreation[]) => readonly CreationResult[];
  readonly erase: (erasure: { readonly ids: readonly SubjectId[]; readonly at: string }) => undefined;
  readonly dropKey: (drop: KeyDrop) => RewrapResult;
  readonly retag: (retag: NameRetag) => RewrapResult;
  readonly rewrap: (change: TakenKeyRewrap) => RewrapResult;
  readonly fail: (lease: Lease, place: KeyPlace, failure: NewFailure) => undefined;
}

export interface LogOperations extends CommonOperations {
  readonly integrate: (
    base: Pick<LogState, "history" | "size">,
    addition: TakenAddition,
    lease: Lease,
  ) => "integrated" | "overtaken";
  readonly published: (size: number) => undefined;
  /** Answers how many went. */
  readonly forget: (ranges: readonly PositionRange[]) => number;
}

type Table<Own extends Operations<Own>> = {
  readonly [Name in keyof Own]: (
    connection: Connection,
    ...given: Given<Own, Name>
  ) => Answer<Own, Name> | Undone<Answer<Own, Name>>;
};

const COMMON: Table<CommonOperations> = {
  flip: (connection, change) => {
    const result = flipGate(connection, change);
    return changed(result, result === "flipped");
  },
  bind: (connection, peer) => {
    const bound = bindGate(connection, peer);
    return changed(bound.peer, bound.isNew);
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

const OUTBOX: Table<OutboxOperations> = { ...COMMON, append: appendAll, drop: dropEntries, closeStreams };

const RECORDS: Table<RecordOperations> = {
  ...OUTBOX,
  apply: applyTogether,
  outcome: (connection, units) => units.map((unit) => settle(connection, unit)),
  rewrap: rewrapVersion,
  fail: (connection, lease, place, failure) => {
    note(connection, lease, () => versionItem(connection, place), failure);
    return undefined;
  },
  restore: restoreKept,
  dropKept,
  replaceNote,
  changeIndexes,
  fillTags,
  forgetTags,
  purgeTags,
  setState: (connection, change) => {
    const { state, isChanged } = setSubjectState(connection, change);
    return changed(state, isChanged);
  },
};

const KEYS: Table<KeyOperations> = {
  ...OUTBOX,
  replaceCheckpoint,
  create: createAll,
  erase: (connection, erasure) => {
    eraseOwners(connection, erasure);
    return undefined;
  },
  dropKey,
  retag: retagName,
  rewrap: rewrapKey,
  fail: (connection, lease, place, failure) => {
    note(connection, lease, () => keyItem(connection, place), failure);
    return undefined;
  },
};

const LOG: Table<LogOperations> = {
  ...COMMON,
  integrate,
  published: (connection, size) => changed(undefined, setPublished(connection, size)),
  forget,
};

/** Kind of file -> name -> how it is done. */
export const OPERATIONS: Readonly<Record<FileKind, object>> = { records: RECORDS, keys: KEYS, audit: LOG };
