/**
 * The tables that both files have, that of the records and that of the keys.
 */
import type { Generated } from "kysely";

/** A row's number: of one that a hand made, beyond what a JavaScript number holds. */
export type RowNumber = number | bigint;

/** One row: which store this is, which key set is in force, and how many transactions it has seen. */
export interface GateTable {
  readonly one: Generated<number>;
  readonly vault: string;
  readonly epoch: number;
  readonly digest: string | null;
  readonly min_reader: number;
  readonly min_writer: number;
  readonly commits: number;
  /** The id of the store that it belongs together with. */
  readonly peer: string | null;
}

/** Each distinct wrap set, as `wrapSetForm` writes it. */
export interface WrapSetTable {
  readonly id: Generated<number>;
  readonly digest: string;
  readonly form: string;
}

/** Versions, of records or of keys, whose last repair failed. */
export interface FailureTable {
  readonly version_key: RowNumber;
  readonly attempts: number;
  readonly code: string;
  readonly at: string;
  /** From when it is due again, in milliseconds since the epoch. */
  readonly due_at: number;
}

/** Partitions of jobs. Moments are milliseconds since the epoch. */
export interface JobTable {
  readonly job: string;
  readonly partition: string;
  readonly state: "free" | "held" | "finished";
  /** Free: when it is due. Held: when the lease runs out. */
  readonly due_at: number;
  readonly fence: number;
  readonly cursor: string | null;
  readonly done: number;
  readonly failed: number;
  readonly problem_code: string | null;
  readonly problem_at: string | null;
  readonly holder: string | null;
  readonly taken_at: number | null;
  readonly saved_at: number | null;
  /** When the lease was taken or last made longer. */
  readonly renewed_at: number;
}

/** How a program reads and writes that may use a file, at least. */
export interface Programs {
  readonly reader: number;
  readonly writer: number;
}

/** Since there is an audit. A key store and a log have not changed so since. */
export const WITH_AUDIT: Programs = { reader: 3, writer: 3 };

/** Since messages are kept; of records. */
export const WITH_KEPT: Programs = { reader: 3, writer: 4 };

/** The tables, as Kysely knows them. */
export interface CommonSchema {
  readonly gate: GateTable;
  readonly wrap_sets: WrapSetTable;
  readonly failures: FailureTable;
  readonly jobs: JobTable;
}

/** The statements that make them, as they were released first: what came later is added to them by migrations. */
export const TABLE: Readonly<Record<"gate" | "wrapSets" | "failures" | "jobs", string>> = {
  gate: `create table gate (
    one integer not null primary key check (one = 1),
    vault text not null,
    epoch integer not null check (epoch >= 0),
    digest text,
    min_reader integer not null,
    min_writer integer not null,
    commits integer not null
  ) strict`,
  wrapSets: `create table wrap_sets (
    id integer not null primary key,
    digest text not null unique,
    form text not null
  ) strict`,
  failures: `create table failures (
    version_key integer not null primary key,
    attempts integer not null,
    code text not null,
    at text not null,
    due_at integer not null
  ) strict`,
  jobs: `create table jobs (
    job text not null,
    partition text not null,
    state text not null check (state in ('free', 'held', 'finished')),
    due_at integer not null,
    fence integer not null,
    cursor text,
    done integer not null,
    failed integer not null,
    problem_code text,
    problem_at text,
    holder text,
    taken_at integer,
    saved_at integer,
    renewed_at integer not null,
    primary key (job, partition)
  ) strict, without rowid`,
};
