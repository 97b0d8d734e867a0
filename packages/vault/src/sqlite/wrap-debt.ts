/**
 * Owed wraps in SQLite: listing, claiming, repairing. All rows of one version are claimed, put off and paid together.
 */
import { shown } from "@strongroom/base/shown";
import { sql } from "kysely";
import type { Kysely, RawBuilder, Transaction } from "kysely";
import { parseAddress, parseVersion } from "../records/address.ts";
import type {
  ClaimedVersion,
  ClaimRelease,
  ClaimRequest,
  DebtPosition,
  FoundDebt,
  OwedVersion,
  RepairChange,
  VersionPlace,
  WrapDebt,
} from "../store.ts";
import { foundName, moment, nameBytes } from "./columns.ts";
import type { FoundName } from "./columns.ts";
import type { VaultSchema } from "./schema.ts";

/** A count that is one: what is negative or beyond it is taken for the greatest, and never added to beyond that. */
const MOST_COUNTED = 1_000_000;
const counted = (column: string): RawBuilder<number> =>
  sql<number>`iif(${sql.ref(column)} between 0 and ${sql.lit(MOST_COUNTED)}, ${sql.ref(column)}, ${sql.lit(MOST_COUNTED)})`;

export async function countDebt(db: Kysely<VaultSchema>): Promise<WrapDebt> {
  const { items } = await db
    .selectFrom((query) => query.selectFrom("wrap_debt").select(["collection", "id", "version"]).distinct().as("owing"))
    .select((query) => query.fn.countAll<number>().as("items"))
    .executeTakeFirstOrThrow();
  const regions = await db
    .selectFrom("wrap_debt")
    .select((query) => [
      "region",
      query.fn.countAll<number>().as("items"),
      sql<string | null>`min(since) filter (where since glob '[12][0-9][0-9][0-9]-*Z')`.as("oldest"),
    ])
    .groupBy("region")
    .orderBy("region")
    .execute();
  return {
    items,
    regions: regions.map(({ region, items: owed, oldest }) => ({
      region: shown(region),
      items: owed,
      oldest: moment(oldest),
    })),
  };
}

export async function listDebts(
  db: Kysely<VaultSchema>,
  { after, limit }: { readonly after: DebtPosition | null; readonly limit: number },
): Promise<readonly FoundDebt[]> {
  const beyond =
    after === null
      ? sql`true`
      : sql`(collection, id, version) >
          (cast(${after.collection} as text), cast(${after.id} as text), cast(${after.version} as integer))`;
  const { rows } = await sql<DebtColumns>`
    select ${nameBytes("collection")} as collection, ${nameBytes("id")} as id,
      cast(version as text) as version, min(since) as since, max(${counted("attempts")}) as attempts,
      max(problem) as problem, max(problem_at) as problem_at,
      json_group_array(json_object('region', region, 'reason', reason) order by key_arn) as regions
    from wrap_debt where ${beyond}
    group by collection, id, wrap_debt.version
    order by wrap_debt.collection, wrap_debt.id, wrap_debt.version
    limit ${limit}`.execute(db);
  return rows.map((row) => {
    const [collection, id] = [foundName(row.collection), foundName(row.id)];
    return {
      owed: owedOf(row, { collection, id }),
      collection: collection.text,
      id: id.text,
      position: { collection: collection.position, id: id.position, version: row.version },
    };
  });
}

interface DebtColumns {
  readonly collection: Uint8Array | null;
  readonly id: Uint8Array | null;
  readonly version: string;
  readonly since: string;
  readonly attempts: number;
  readonly problem: string | null;
  readonly problem_at: string | null;
  readonly regions: string;
}

/** Null when the row holds what no vault writes. */
function owedOf(
  { problem, problem_at: at, ...row }: DebtColumns,
  { collection, id }: { readonly collection: FoundName; readonly id: FoundName },
): OwedVersion | null {
  if (!collection.isWhole || !id.isWhole) return null;
  const place = placeOf({ collection: collection.text, id: id.text, version: Number(row.version) });
  const [since, problemAt] = [moment(row.since), at === null ? null : moment(at)];
  if (place === null || since === null || (at !== null && problemAt === null)) return null;
  const regions = JSON.parse(row.regions) as OwedVersion["regions"];
  return {
    ...place,
    regions: regions.map(({ region, reason }) => ({ region: shown(region), reason: shown(reason) })),
    since,
    attempts: row.attempts,
    lastProblem: problem === null || problemAt === null ? null : { code: shown(problem), at: problemAt },
  };
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
    where region is not null and exists (
      select 1 from wrap_debt
      where wrap_debt.region = owed.region and (due_at <= ${now} or due_at > ${now + LONGEST_WAIT_MS}))`.execute(db);
  return rows.map(({ region }) => region);
}

/** No claim and no wait is longer: a moment further away was not written by a vault, and hides nothing. */
const LONGEST_WAIT_MS = 30 * 24 * 3600 * 1000;

export async function claim(
  transaction: Transaction<VaultSchema>,
  { holder, region, limit, now, until }: ClaimRequest,
): Promise<readonly ClaimedVersion[]> {
  const rows = await transaction
    .selectFrom("wrap_debt")
    .select(["collection", "id", "version", counted("attempts").as("attempts")])
    .distinct()
    .where("region", "=", region)
    .where(sql<boolean>`(due_at <= ${now} or due_at > ${now + LONGEST_WAIT_MS})`)
    .where("version", ">=", 1)
    .where("version", "<=", Number.MAX_SAFE_INTEGER)
    .orderBy("due_at")
    .limit(limit)
    .execute();
  const claimed = rows.flatMap((row) => {
    const place = placeOf(row);
    return place === null ? [] : [{ ...place, attempts: row.attempts }];
  });
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
      query.set(() => ({
        attempts: sql<number>`${counted("attempts")} + 1`,
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

/** Null when it is no place of a version. */
function placeOf(row: {
  readonly collection: string;
  readonly id: string;
  readonly version: number;
}): VersionPlace | null {
  try {
    return { ...parseAddress(row), version: parseVersion(row.version) };
  } catch {
    return null;
  }
}
