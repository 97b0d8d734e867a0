// How what the server holds in memory lies in the database: records as rows and back, reading all of them, writing a
// change. The only place that knows.

import type { Kysely, Selectable, Transaction } from "kysely";
import type {
  AliasRecord,
  BackingKey,
  GrantRecord,
  ImportWrappingKey,
  KeyRecord,
  LastUse,
} from "../keys/key-record.ts";
import { emptyRegion } from "./region-data.ts";
import type { Change, RegionData } from "./region-data.ts";
import type { Schema } from "./schema.ts";

type Row<T extends keyof Schema> = Selectable<Schema[T]>;

function keyToRows(key: KeyRecord): { key: Row<"keys">; backingKeys: Row<"backing_keys">[] } {
  const { region, keyId, backingKeys, ...rest } = key;
  return {
    key: { region, key_id: keyId, record: JSON.stringify(rest) },
    backingKeys: backingKeys.map(({ id, sealed, publicKey, ...record }, position) => ({
      region,
      key_id: keyId,
      material_id: id,
      position,
      record: JSON.stringify(record),
      public_key: publicKey,
      sealed,
    })),
  };
}

/** `rows` are the key's backing keys in their order. */
export function keyFromRows(row: Row<"keys">, rows: readonly Row<"backing_keys">[]): KeyRecord {
  const rest = JSON.parse(row.record) as Omit<KeyRecord, "region" | "keyId" | "backingKeys">;
  const backingKeys = rows.map((backing): BackingKey => {
    const record = JSON.parse(backing.record) as Omit<BackingKey, "id" | "sealed" | "publicKey">;
    return { id: backing.material_id, ...record, sealed: backing.sealed, publicKey: backing.public_key };
  });
  return { region: row.region, keyId: row.key_id, ...rest, backingKeys };
}

const aliasToRow = (alias: AliasRecord): Row<"aliases"> => ({
  region: alias.region,
  name: alias.name,
  key_id: alias.keyId,
  created_at: alias.createdAt,
  updated_at: alias.updatedAt,
});

export const aliasFromRow = (row: Row<"aliases">): AliasRecord => ({
  region: row.region,
  name: row.name,
  keyId: row.key_id,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

function grantToRow({ region, grantId, keyId, ...record }: GrantRecord): Row<"grants"> {
  return { region, grant_id: grantId, key_id: keyId, record: JSON.stringify(record) };
}

export const grantFromRow = (row: Row<"grants">): GrantRecord => ({
  region: row.region,
  grantId: row.grant_id,
  keyId: row.key_id,
  ...(JSON.parse(row.record) as Omit<GrantRecord, "region" | "grantId" | "keyId">),
});

const importKeyToRow = (key: ImportWrappingKey): Row<"import_keys"> => ({
  region: key.region,
  key_id: key.keyId,
  token_id: key.tokenId,
  algorithm: key.algorithm,
  valid_to: key.validTo,
  sealed: key.sealed,
});

const importKeyFromRow = (row: Row<"import_keys">): ImportWrappingKey => ({
  region: row.region,
  keyId: row.key_id,
  tokenId: row.token_id,
  algorithm: row.algorithm,
  validTo: row.valid_to,
  sealed: row.sealed,
});

const lastUseFromRow = (row: Row<"last_uses">): LastUse => JSON.parse(row.record) as LastUse;

/** Reads everything that is stored into `regions`, which also gets the ones that only the database knows. */
export async function loadRegions(db: Kysely<Schema>, regions: Map<string, RegionData>): Promise<void> {
  const at = (name: string): RegionData => {
    const region = regions.get(name) ?? emptyRegion(name);
    regions.set(name, region);
    return region;
  };
  const backingRows = Map.groupBy(
    await db.selectFrom("backing_keys").selectAll().orderBy("position").execute(),
    (row: Selectable<Schema["backing_keys"]>) => `${row.region}/${row.key_id}`,
  );
  for (const row of await db.selectFrom("keys").selectAll().execute()) {
    at(row.region).keys.set(row.key_id, keyFromRows(row, backingRows.get(`${row.region}/${row.key_id}`) ?? []));
  }
  for (const row of await db.selectFrom("aliases").selectAll().execute())
    at(row.region).aliases.set(row.name, aliasFromRow(row));
  for (const row of await db.selectFrom("grants").selectAll().execute())
    at(row.region).grants.set(row.grant_id, grantFromRow(row));
  for (const row of await db.selectFrom("import_keys").selectAll().execute())
    at(row.region).importKeys.set(row.token_id, importKeyFromRow(row));
  for (const row of await db.selectFrom("last_uses").selectAll().execute())
    at(row.region).lastUses.set(row.key_id, lastUseFromRow(row));
}

/** Makes a change of `region-state.ts` in the database, inside the caller's transaction. */
export async function writeChange(trx: Transaction<Schema>, change: Change): Promise<void> {
  switch (change.kind) {
    case "put-key": {
      const rows = keyToRows(change.key);
      await trx.replaceInto("keys").values(rows.key).execute();
      await trx
        .deleteFrom("backing_keys")
        .where("region", "=", change.key.region)
        .where("key_id", "=", change.key.keyId)
        .execute();
      for (const row of rows.backingKeys) await trx.insertInto("backing_keys").values(row).execute();
      return;
    }
    case "delete-key":
      for (const table of ["keys", "backing_keys", "aliases", "grants", "import_keys", "last_uses"] as const) {
        await trx.deleteFrom(table).where("region", "=", change.region).where("key_id", "=", change.keyId).execute();
      }
      return;
    case "put-alias":
      await trx.replaceInto("aliases").values(aliasToRow(change.alias)).execute();
      return;
    case "delete-alias":
      await trx.deleteFrom("aliases").where("region", "=", change.region).where("name", "=", change.name).execute();
      return;
    case "put-grant":
      await trx.replaceInto("grants").values(grantToRow(change.grant)).execute();
      return;
    case "delete-grant":
      await trx
        .deleteFrom("grants")
        .where("region", "=", change.region)
        .where("grant_id", "=", change.grantId)
        .execute();
      return;
    case "put-import-key":
      await trx.replaceInto("import_keys").values(importKeyToRow(change.importKey)).execute();
      return;
    case "delete-import-keys":
      await trx
        .deleteFrom("import_keys")
        .where("region", "=", change.region)
        .where("key_id", "=", change.keyId)
        .execute();
      return;
    case "put-last-use":
      await trx
        .replaceInto("last_uses")
        .values({ region: change.region, key_id: change.keyId, record: JSON.stringify(change.use) })
        .execute();
      return;
  }
}
