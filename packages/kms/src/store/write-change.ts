// The same changes as region-state.ts, made in the database inside the caller's transaction.

import type { Transaction } from "kysely";
import { aliasToRow, grantToRow, importKeyToRow, keyToRows } from "./codec.ts";
import type { Change } from "./region-state.ts";
import type { Schema } from "./schema.ts";

/** Writes one change. */
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
