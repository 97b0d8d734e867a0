// How what the server holds in memory lies in the database: records as rows and back, and a change as what it does to
// rows. The only place that knows.

import type { Insertable, Transaction } from "kysely";
import { KmsError } from "../errors.ts";
import { ROW_TABLES, ROW_TABLE_NAMES, rowIdentity, rowName } from "../integrity/row-mac.ts";
import type { Row, RowTable } from "../integrity/row-mac.ts";
import type { StoredRows } from "../integrity/row-check.ts";
import type { RowSet } from "../integrity/row-set.ts";
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
  const rest = recordOf("keys", row) as Omit<KeyRecord, "region" | "keyId" | "backingKeys">;
  const backingKeys = rows.map((backing): BackingKey => {
    const record = recordOf("backing_keys", backing) as Omit<BackingKey, "id" | "sealed" | "publicKey">;
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
  ...(recordOf("grants", row) as Omit<GrantRecord, "region" | "grantId" | "keyId">),
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

export const lastUseFromRow = (row: Row<"last_uses">): LastUse => recordOf("last_uses", row) as LastUse;

/** @throws KmsError `store-corrupt` if it is not JSON: of rows that hold, only those taken over from elsewhere are. */
function recordOf(table: RowTable, row: Row & { readonly record: string }): unknown {
  try {
    return JSON.parse(row.record);
  } catch (cause) {
    throw new KmsError("store-corrupt", `the record of ${rowName(table, rowIdentity(table, row))} is not JSON.`, {
      cause,
    });
  }
}

/** Puts stored rows into `regions`, which also gets the ones that only the database knows. */
export function loadRegions(rows: StoredRows, regions: Map<string, RegionData>): void {
  const at = (name: string): RegionData => {
    const region = regions.get(name) ?? emptyRegion(name);
    regions.set(name, region);
    return region;
  };
  const backingKeys = Map.groupBy(
    rows.backing_keys.toSorted((one, other) => one.position - other.position),
    (row) => `${row.region}/${row.key_id}`,
  );
  for (const row of rows.keys)
    at(row.region).keys.set(row.key_id, keyFromRows(row, backingKeys.get(`${row.region}/${row.key_id}`) ?? []));
  for (const row of rows.aliases) at(row.region).aliases.set(row.name, aliasFromRow(row));
  for (const row of rows.grants) at(row.region).grants.set(row.grant_id, grantFromRow(row));
  for (const row of rows.import_keys) at(row.region).importKeys.set(row.token_id, importKeyFromRow(row));
  for (const row of rows.last_uses) at(row.region).lastUses.set(row.key_id, lastUseFromRow(row));
}

/** What a change does to rows. */
type Step =
  | { readonly kind: "put"; readonly table: RowTable; readonly row: Row }
  | { readonly kind: "delete"; readonly table: RowTable; readonly identity: readonly [region: string, id: string] }
  | { readonly kind: "delete-of-key"; readonly table: RowTable; readonly region: string; readonly keyId: string };

const put = <Table extends RowTable>(table: Table, row: Row<Table> & Row): Step => ({ kind: "put", table, row });

function stepsOf(change: Change): readonly Step[] {
  switch (change.kind) {
    case "put-key": {
      const { region, keyId } = change.key;
      const { key, backingKeys } = keyToRows(change.key);
      return [
        put("keys", key),
        { kind: "delete-of-key", table: "backing_keys", region, keyId },
        ...backingKeys.map((row) => put("backing_keys", row)),
      ];
    }
    case "delete-key":
      return ROW_TABLE_NAMES.map((table) => ({ ...change, kind: "delete-of-key", table }));
    case "put-alias":
      return [put("aliases", aliasToRow(change.alias))];
    case "delete-alias":
      return [{ kind: "delete", table: "aliases", identity: [change.region, change.name] }];
    case "put-grant":
      return [put("grants", grantToRow(change.grant))];
    case "delete-grant":
      return [{ kind: "delete", table: "grants", identity: [change.region, change.grantId] }];
    case "put-import-key":
      return [put("import_keys", importKeyToRow(change.importKey))];
    case "delete-import-keys":
      return [{ ...change, kind: "delete-of-key", table: "import_keys" }];
    case "put-last-use": {
      const { region, keyId, use } = change;
      return [put("last_uses", { region, key_id: keyId, record: JSON.stringify(use) })];
    }
  }
}

/** Makes a change of `region-data.ts` in the database, inside the caller's transaction, and in the set of its rows. */
export async function writeChange(trx: Transaction<Schema>, change: Change, set: RowSet): Promise<void> {
  for (const step of stepsOf(change)) await writeStep(trx, step, set);
}

async function writeStep(trx: Transaction<Schema>, step: Step, set: RowSet): Promise<void> {
  switch (step.kind) {
    case "put": {
      // The row is of the table, which the type of a union cannot say.
      const row = { ...step.row, mac: set.put(step.table, step.row) } as Insertable<Schema["keys"]>;
      await trx
        .replaceInto(step.table as "keys")
        .values(row)
        .execute();
      return;
    }
    case "delete": {
      const [region, id] = step.identity;
      set.remove(step.table, step.identity);
      await trx
        .deleteFrom(step.table as "aliases")
        .where("region", "=", region)
        .where(ROW_TABLES[step.table].identity[1] as "name", "=", id)
        .execute();
      return;
    }
    case "delete-of-key":
      set.removeOwned(step.table, step.region, step.keyId);
      await trx.deleteFrom(step.table).where("region", "=", step.region).where("key_id", "=", step.keyId).execute();
  }
}
