/**
 * Jobs in SQLite: taking, saving and giving back partitions, within the writer's transaction, and what is read of them.
 * The clock is that of the machine, which all processes of one file share.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { JobPartition, Leased, Lease, Progress } from "../jobs.ts";
import { moment, whole } from "./columns.ts";
import type { JobTable } from "./common-schema.ts";
import { LONGEST_WAIT_MS } from "./read-inventory.ts";

import { ONE, statement } from "./statements.ts";
import type { Connection } from "./statements.ts";

interface Place {
  readonly job: string;
  readonly partition: string;
}

const ADD = statement((db, { job, partition, now }: Place & { readonly now: number }) =>
  db
    .insertInto("jobs")
    .values({ job, partition, state: "free", due_at: now, fence: 0, done: 0, failed: 0, renewed_at: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

export function addPartitions(connection: Connection, job: string, partitions: readonly string[]): void {
  const now = Date.now();
  for (const partition of partitions) connection.run(ADD, { job, partition, now });
}

/**
 * Whether a partition may be taken at a moment: it is due, or its lease is one that no clock of these days gave (taken
 * in the future: the clock was set back), or it waits longer than a vault ever makes it wait.
 */
const isDue = (now: number) => sql<boolean>`state <> 'finished' and (
  due_at <= ${now} or due_at > ${now} + ${sql.lit(LONGEST_WAIT_MS)} or (state = 'held' and renewed_at > ${now}))`;

const FIRST_DUE = statement((db, { job, now }: { readonly job: string; readonly now: number }) =>
  db
    .selectFrom("jobs")
    .select(["partition", "cursor", whole("fence", 0).as("fence")])
    .where("job", "=", job)
    .where(isDue(now))
    // A fence that no vault wrote cannot be raised: such a partition is shown in the list, and not taken.
    .where(sql<boolean>`fence between 0 and ${sql.lit(Number.MAX_SAFE_INTEGER)} - 1`)
    .orderBy("due_at")
    .orderBy("partition")
    .limit(ONE)
    .compile(),
);

const TAKE = statement((db, lease: Lease & { readonly holder: string; readonly now: number; readonly until: number }) =>
  db
    .updateTable("jobs")
    .set({
      state: "held",
      fence: lease.fence,
      holder: lease.holder,
      due_at: lease.until,
      taken_at: lease.now,
      renewed_at: lease.now,
    })
    .where("job", "=", lease.job)
    .where("partition", "=", lease.partition)
    .compile(),
);

export function takePartition(
  connection: Connection,
  { job, holder, ms }: { readonly job: string; readonly holder: string; readonly ms: number },
): Leased | null {
  const now = Date.now();
  const found = connection.first(FIRST_DUE, { job, now });
  if (found === undefined || found.fence === null) return null;
  const { partition, cursor } = found;
  const lease = { job, partition, fence: found.fence + 1 };
  connection.run(TAKE, { ...lease, holder, now, until: now + Math.round(ms) });
  return { ...lease, cursor };
}

const HELD = statement((db, { job, partition, fence }: Lease) =>
  db
    .selectFrom("jobs")
    .select("fence")
    .where("job", "=", job)
    .where("partition", "=", partition)
    .where("state", "=", "held")
    .where("fence", "=", fence)
    .compile(),
);

/** Whether the lease is still its holder's. One that ran out is, until somebody else takes the partition. */
export function isHeld(connection: Connection, lease: Lease): boolean {
  return connection.first(HELD, lease) !== undefined;
}

/** A counter that a hand has set to what none is begins anew. */
const counter = (column: "done" | "failed") => sql<number>`ifnull(${whole(column, 0)}, 0)`;
const most = (sum: unknown) => sql<number>`min(${sum}, ${sql.lit(Number.MAX_SAFE_INTEGER)})`;

interface NewProgress extends Lease {
  readonly cursor: string | null;
  readonly done: number;
  readonly failed: number;
  readonly code: string | null;
  readonly at: string | null;
  readonly state: JobTable["state"];
  readonly dueAt: number;
  readonly now: number;
}

const SAVE = statement((db, next: NewProgress) =>
  db
    .updateTable("jobs")
    .set({
      cursor: next.cursor,
      done: most(sql`${counter("done")} + ${next.done}`),
      failed: most(sql`${counter("failed")} + ${next.failed}`),
      problem_code: sql<string | null>`ifnull(${next.code}, problem_code)`,
      problem_at: sql<string | null>`ifnull(${next.at}, problem_at)`,
      state: next.state,
      due_at: next.dueAt,
      saved_at: next.now,
      renewed_at: next.now,
    })
    .where("job", "=", next.job)
    .where("partition", "=", next.partition)
    .where("state", "=", "held")
    .where("fence", "=", next.fence)
    .compile(),
);

/** What becomes of a partition with its progress: it stays held, is free again, or is finished. */
export type Next =
  { readonly state: "held" | "free"; readonly inMs: number } | { readonly state: "finished"; readonly inMs: 0 };

export function savePartition(
  connection: Connection,
  lease: Lease,
  { cursor, done, failed, problem }: Progress,
  { state, inMs }: Next,
): "saved" | "overtaken" {
  const now = Date.now();
  const saved = connection.run(SAVE, {
    ...lease,
    cursor,
    done,
    failed,
    code: problem?.code ?? null,
    at: problem?.at ?? null,
    state,
    dueAt: now + Math.round(inMs),
    now,
  });
  return saved === 1 ? "saved" : "overtaken";
}

const WAKE = statement((db, { job, now }: { readonly job: string; readonly now: number }) =>
  db
    .updateTable("jobs")
    .set({ due_at: now })
    .where("job", "=", job)
    .where("state", "=", "free")
    .where("due_at", ">", now)
    .compile(),
);

export function wakeJob(connection: Connection, job: string): void {
  connection.run(WAKE, { job, now: Date.now() });
}

/** Text of this column, as far as anybody shows it: a hand may have put any amount there. */
const cut = <Text extends string | null>(column: string): RawBuilder<Text> =>
  sql<Text>`substr(${sql.ref(column)}, 1, 4096)`;

const ALL = statement((db, { now }: { readonly now: number }) =>
  db
    .selectFrom("jobs")
    .select([
      cut<string>("job").as("job"),
      cut<string>("partition").as("partition"),
      "state",
      isDue(now).as("is_due"),
      whole("fence", 0).as("fence"),
      cut<string | null>("cursor").as("cursor"),
      counter("done").as("done"),
      counter("failed").as("failed"),
      cut<string | null>("problem_code").as("problem_code"),
      cut<string | null>("problem_at").as("problem_at"),
      cut<string | null>("holder").as("holder"),
      whole("taken_at", 0).as("taken_at"),
      whole("saved_at", 0).as("saved_at"),
    ])
    .orderBy("job")
    .orderBy("partition")
    .compile(),
);

export function listPartitions(connection: Connection): readonly JobPartition[] {
  return connection.all(ALL, { now: Date.now() }).map((row) => {
    const at = moment(row.problem_at);
    return {
      job: row.job,
      partition: row.partition,
      state:
        row.state === "finished"
          ? "finished"
          : Number(row.is_due) === 1
            ? "due"
            : row.state === "held"
              ? "running"
              : "waiting",
      fence: row.fence ?? 0,
      cursor: row.cursor,
      done: row.done,
      failed: row.failed,
      problem: row.problem_code === null || at === null ? null : { code: row.problem_code, at },
      holder: row.holder,
      takenAt: dateOf(row.taken_at),
      savedAt: dateOf(row.saved_at),
    };
  });
}

const dateOf = (milliseconds: number | null): string | null =>
  milliseconds === null || Number.isNaN(new Date(milliseconds).getTime()) ? null : new Date(milliseconds).toISOString();
