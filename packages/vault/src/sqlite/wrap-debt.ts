/**
 * Owed wraps in SQLite: listing, claiming, repairing. All rows of one version are claimed, put off and paid together.
 */
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import type { Collection, RecordId, Version } from "../records/address.ts";
import type {
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  OwedVersion,
  RepairChange,
  VersionPlace,
  WrapDebt,
} from "../store.ts";
import type { VaultSchema } from "./schema.ts";

export async function countDebt(db: Kysely<VaultSchema>): Promise<WrapDebt> {
  const { items } = await db
    .selectFrom((query) => query.selectFrom("wrap_debt").select(["collection", "id", "version"]).distinct().as("owing"))
    .select((query) => query.fn.countAll<number>().as("items"))
    .executeTakeFirstOrThrow();
  const regions = await db
    .selectFrom("wrap_debt")
    .select((query) => ["region", query.fn.countAll<number>().as("items"), query.fn.min("since").as("oldest")])
    .groupBy("region")
    .orderBy("region")
    .execute();
  return { items, regions: regions.map((row) => ({ ...row })) };
}

export async function listDebts(
  db: Kysely<VaultSchema>,
  { after, limit }: { readonly after: VersionPlace | null; readonly limit: number },
): Promise<readonly OwedVersion[]> {
  const rows = await db
    .selectFrom("wrap_debt")
    .select((query) => [
      "collection",
      "id",
      "version",
      query.fn.min("since").as("since"),
      query.fn.max("attempts").as("attempts"),
      query.fn.max("problem").as("problem"),
      query.fn.max("problem_at").as("problem_at"),
      sql<string>`json_group_array(json_object('region', region, 'reason', reason) order by key_arn)`.as("regions"),
    ])
    .$if(after !== null, (query) =>
      query.where(
        sql<boolean>`(collection, id, version) > (${after?.collection ?? ""}, ${after?.id ?? ""}, ${after?.version ?? 0})`,
      ),
    )
    .groupBy(["collection", "id", "version"])
    .orderBy("collection")
    .orderBy("id")
    .orderBy("version")
    .limit(limit)
    .execute();
  return rows.map(({ problem, problem_at: at, since, attempts, regions, ...row }) => ({
    ...placeOf(row),
    regions: JSON.parse(regions) as OwedVersion["regions"],
    since,
    attempts,
    lastProblem: problem === null || at === null ? null : { code: problem, at },
  }));
}

/** Goes from one region's first index entry to the next one's: SQLite's own `distinct` would read them all. */
export async function regionsDue(db: Kysely<VaultSchema>, now: number): Promise<readonly string[]> {
  const { rows } = await sql<{ region: string }>`
    with recursive owed(region) as (
      select min(region) from wrap_debt
      union all
      select (select min(region) from wrap_debt where region > owed.region) from owed where owed.region is not null
    )
    select region from owed
    where region is not null and exists (select 1 from wrap_debt where wrap_debt.region = owed.region and due_at <= ${now})`.execute(
    db,
  );
  return rows.map(({ region }) => region);
}

export async function claim(
  transaction: Transaction<VaultSchema>,
  { holder, region, limit, now, until }: ClaimRequest,
): Promise<readonly ClaimedVersion[]> {
  const rows = await transaction
    .selectFrom("wrap_debt")
    .select(["collection", "id", "version", "attempts", "due_at"])
    .distinct()
    .where("region", "=", region)
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(limit)
    .execute();
  const claimed = rows.map((row) => ({ ...placeOf(row), attempts: row.attempts }));
  for (const place of claimed) await rowsOf(transaction, place).set({ due_at: until, holder }).execute();
  return claimed;
}

export async function releaseClaim(
  db: Kysely<VaultSchema>,
  { holder, place, dueAt, problem }: ClaimRelease,
): Promise<"released" | "gone"> {
  const { numUpdatedRows } = await rowsOf(db, place)
    .set({ due_at: dueAt, holder: null })
    .$if(problem !== null, (query) =>
      query.set((column) => ({
        attempts: column("attempts", "+", 1),
        problem: problem?.code ?? null,
        problem_at: problem?.at ?? null,
      })),
    )
    .where("holder", "=", holder)
    .executeTakeFirst();
  return numUpdatedRows > 0n ? "released" : "gone";
}

/** False when the message is not the change's base any more. */
export async function replaceMessage(
  transaction: Transaction<VaultSchema>,
  { place, base, message, wraps, missing, dueAt, at }: RepairChange,
): Promise<boolean> {
  const { collection, id, version } = place;
  const { numUpdatedRows } = await transaction
    .updateTable("versions")
    .set({ wraps_stored: wraps.stored, wraps_target: wraps.target, ...(message === null ? {} : { message }) })
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("version", "=", version)
    // Compare-and-swap: a message id is random, so equal bytes are the same message.
    .where("message", "=", base)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  await transaction
    .deleteFrom("wrap_debt")
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("version", "=", version)
    .where("key_arn", "not in", ["", ...missing.map(({ keyArn }) => keyArn)])
    .execute();
  for (const { region, keyArn, reason } of missing) {
    await transaction
      .insertInto("wrap_debt")
      .values({ collection, id, version, region, key_arn: keyArn, reason, since: at, due_at: dueAt })
      .onConflict((conflict) =>
        conflict.doUpdateSet({ reason, due_at: dueAt, holder: null, attempts: 0, problem: null, problem_at: null }),
      )
      .execute();
  }
  return true;
}

function rowsOf(db: Kysely<VaultSchema>, { collection, id, version }: VersionPlace) {
  return db
    .updateTable("wrap_debt")
    .where("collection", "=", collection)
    .where("id", "=", id)
    .where("version", "=", version);
}

function placeOf(row: { readonly collection: string; readonly id: string; readonly version: number }): VersionPlace {
  return { collection: row.collection as Collection, id: row.id as RecordId, version: row.version as Version };
}
