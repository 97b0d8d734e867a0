// Rows <-> records. The only place that knows how a record lies in the database.

import type { Selectable } from "kysely";
import type {
  AliasRecord,
  BackingKey,
  GrantRecord,
  ImportWrappingKey,
  KeyRecord,
  LastUse,
} from "../keys/key-record.ts";
import type { Schema } from "./schema.ts";

type Row<T extends keyof Schema> = Selectable<Schema[T]>;

export function keyToRows(key: KeyRecord): { key: Row<"keys">; backingKeys: Row<"backing_keys">[] } {
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

export const aliasToRow = (alias: AliasRecord): Row<"aliases"> => ({
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

export function grantToRow({ region, grantId, keyId, ...record }: GrantRecord): Row<"grants"> {
  return { region, grant_id: grantId, key_id: keyId, record: JSON.stringify(record) };
}

export const grantFromRow = (row: Row<"grants">): GrantRecord => ({
  region: row.region,
  grantId: row.grant_id,
  keyId: row.key_id,
  ...(JSON.parse(row.record) as Omit<GrantRecord, "region" | "grantId" | "keyId">),
});

export const importKeyToRow = (key: ImportWrappingKey): Row<"import_keys"> => ({
  region: key.region,
  key_id: key.keyId,
  token_id: key.tokenId,
  algorithm: key.algorithm,
  valid_to: key.validTo,
  sealed: key.sealed,
});

export const importKeyFromRow = (row: Row<"import_keys">): ImportWrappingKey => ({
  region: row.region,
  keyId: row.key_id,
  tokenId: row.token_id,
  algorithm: row.algorithm,
  validTo: row.valid_to,
  sealed: row.sealed,
});

export const lastUseFromRow = (row: Row<"last_uses">): LastUse => JSON.parse(row.record) as LastUse;
