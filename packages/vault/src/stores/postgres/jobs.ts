/**
 * Jobs, by the database's clock: one row a partition, whose fence goes up with each taking. A row that somebody reads
 * for a write under its fence cannot be taken over before that write has ended.
 */
import type { JobPartition, JobStore, Lease, Leased, Progress } from "../jobs.ts";
import type { Columns } from "./columns.ts";
import { isTrue, moment, text, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections } from "./connection.ts";
import { NOW } from "./functions/statements.ts";
import { refusalColumn, requireAccepted } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";
import { milliseconds } from "./units.ts";

/**
 * Of a row `j` at the moment `t.now`. Taken or saved at a moment that has not come: the clock was set back. That is
 * held against the clock and not against `t.now`: a row that somebody took since the statement looked at it is looked
 * at anew, and was taken after that moment without any clock's being set back.
 */
const IS_DUE = `not j.finished and (j.due_at <= t.now or j.renewed_at > ${NOW})`;

const clock = `t as materialized (select ${NOW} as now)`;

/** @param vault the id that the database must have */
export function postgresJobs(connections: Connections, schema: SchemaName, vault: string): JobStore {
  const ours = `exists (select from ${schema}.vault g where g.id = $1::text)`;
  const statements = {
    add: statement(`
      insert into ${schema}.job_partitions (job, partition, fence, held, finished, due_at, renewed_at, done, failed)
      select $2::text, u.name, 0, false, false, ${NOW}, 0, 0, 0 from unnest($3::text[]) u(name) where ${ours}
      order by u.name collate "C"
      on conflict do nothing`),
    lease: statement(`
      with ${clock}, next as (
        select j.job, j.partition from ${schema}.job_partitions j, t
        where ${ours} and j.job = $2::text and ${IS_DUE}
        order by j.due_at, j.partition limit 1 for no key update of j skip locked)
      update ${schema}.job_partitions j
      set fence = j.fence + 1, held = true, holder = $3::text, taken_at = t.now, renewed_at = t.now,
        due_at = t.now + $4::bigint
      from next, t where j.job = next.job and j.partition = next.partition
      returning j.partition, j.fence, j.cursor`),
    keep: statement(`
      with ${clock}
      update ${schema}.job_partitions j
      set cursor = $5::text, done = j.done + $6::bigint, failed = j.failed + $7::bigint,
        problem_code = coalesce($8::text, j.problem_code), problem_at = coalesce($9::bigint, j.problem_at),
        saved_at = t.now, renewed_at = t.now, held = $10::boolean, finished = $11::boolean,
        due_at = t.now + $12::bigint
      from t
      where ${ours} and j.job = $2::text and j.partition = $3::text and j.fence = $4::bigint and j.held
      returning j.fence`),
    wake: statement(`
      with ${clock}
      update ${schema}.job_partitions j set due_at = t.now from t
      where ${ours} and j.job = $2::text and not j.held and not j.finished and j.due_at > t.now`),
    list: statement(`
      with ${clock}
      select ${refusalColumn("$1::text")}, j.* from ${schema}.vault g left join (
        select j.job, j.partition, j.fence, j.held, j.finished, j.cursor, j.done, j.failed, j.problem_code, j.problem_at,
          j.holder, j.taken_at, j.saved_at, ${IS_DUE} as is_due
        from ${schema}.job_partitions j, t) j on true
      order by j.job, j.partition`),
  };

  async function keep(
    { job, partition, fence }: Lease,
    { cursor, done, failed, problem }: Progress,
    { held, finished, dueInMs }: { readonly held: boolean; readonly finished: boolean; readonly dueInMs: number },
  ): Promise<"saved" | "overtaken"> {
    const at = problem === null ? null : milliseconds(problem.at);
    const values = [vault, job, partition, fence, cursor, done, failed, problem?.code ?? null, at];
    const rows = await connections.run(statements.keep, [...values, held, finished, Math.ceil(dueInMs)], "fail");
    return rows.length === 1 ? "saved" : "overtaken";
  }

  return {
    async add(job, partitions) {
      await connections.run(statements.add, [vault, job, [...new Set(partitions)]], "repeat");
    },
    async lease({ job, holder, ms }) {
      const rows = await connections.run(statements.lease, [vault, job, holder, Math.ceil(ms)], "fail");
      return rows.map((row) => leased(job, row))[0] ?? null;
    },
    save: (lease, progress, ms) => keep(lease, progress, { held: true, finished: false, dueInMs: ms }),
    finish: (lease, progress, dueInMs) =>
      keep(lease, progress, { held: false, finished: dueInMs === null, dueInMs: dueInMs ?? 0 }),
    async wake(job) {
      await connections.run(statements.wake, [vault, job], "repeat");
    },
    async list() {
      const rows = await connections.run(statements.list, [vault], "repeat");
      requireAccepted(rows);
      return rows.filter((row) => row["job"] !== null).map(partitionRow);
    },
  };
}

const leased = (job: string, row: Columns): Leased => ({
  job,
  partition: text(row["partition"]) ?? "",
  fence: whole(row["fence"], 0) ?? 0,
  cursor: text(row["cursor"]),
});

function partitionRow(row: Columns): JobPartition {
  const [code, at] = [text(row["problem_code"]), moment(row["problem_at"])];
  return {
    job: text(row["job"]) ?? "",
    partition: text(row["partition"]) ?? "",
    state: isTrue(row["finished"])
      ? "finished"
      : isTrue(row["is_due"])
        ? "due"
        : isTrue(row["held"])
          ? "running"
          : "waiting",
    fence: whole(row["fence"], 0) ?? 0,
    cursor: text(row["cursor"]),
    done: whole(row["done"], 0) ?? 0,
    failed: whole(row["failed"], 0) ?? 0,
    problem: code === null || at === null ? null : { code, at },
    holder: text(row["holder"]),
    takenAt: moment(row["taken_at"]),
    savedAt: moment(row["saved_at"]),
  };
}
