// Everything that a database holds sealed under its root key, with the identity that each is sealed as. A new sealed
// column belongs here: re-keying and verifying know no other list.

import type { Kysely } from "kysely";
import { backingKeyIdentity, importKeyIdentity } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import type { KeySpec } from "../keys/key-spec.ts";
import { AUDIT_KEY, META, ROOT_CHECK } from "../store/custody.ts";
import type { Schema } from "../store/schema.ts";

/** One sealed value and how it is put back after it was sealed anew. */
export interface SealedValue {
  readonly identity: string;
  readonly sealed: Uint8Array;
  readonly replace: (db: Kysely<Schema>, sealed: Uint8Array) => Promise<unknown>;
}

/** What the rows of `meta` are sealed as; the others (salt, chain head) are not secret. */
const SEALED_META: readonly { readonly name: string; readonly identity: string }[] = [
  { name: META.check, identity: ROOT_CHECK },
  { name: META.auditKey, identity: AUDIT_KEY },
];

/** All sealed values of a database. @throws KmsError `store-corrupt` if one that must be there is not. */
export async function sealedValues(db: Kysely<Schema>): Promise<readonly SealedValue[]> {
  return [...(await metaValues(db)), ...(await backingKeys(db)), ...(await importKeys(db))];
}

async function metaValues(db: Kysely<Schema>): Promise<readonly SealedValue[]> {
  const rows = await db.selectFrom("meta").selectAll().execute();
  return SEALED_META.map(({ name, identity }) => {
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined) throw new KmsError("store-corrupt", `it has no ${name}.`);
    return {
      identity,
      sealed: row.value,
      replace: (trx, value) => trx.updateTable("meta").set({ value }).where("name", "=", name).execute(),
    };
  });
}

async function backingKeys(db: Kysely<Schema>): Promise<readonly SealedValue[]> {
  const rows = await db
    .selectFrom("backing_keys as backing")
    .innerJoin("keys", (join) =>
      join.onRef("keys.region", "=", "backing.region").onRef("keys.key_id", "=", "backing.key_id"),
    )
    .select(["backing.region", "backing.key_id", "backing.material_id", "backing.sealed", "keys.record"])
    .where("backing.sealed", "is not", null)
    .execute();
  return rows.flatMap(({ region, key_id: keyId, material_id: materialId, sealed, record }) => {
    const { spec } = JSON.parse(record) as { spec: KeySpec };
    const replace: SealedValue["replace"] = (trx, value) =>
      trx
        .updateTable("backing_keys")
        .set({ sealed: value })
        .where("region", "=", region)
        .where("key_id", "=", keyId)
        .where("material_id", "=", materialId)
        .execute();
    return sealed === null
      ? []
      : [{ identity: backingKeyIdentity({ region, keyId, spec }, materialId), sealed, replace }];
  });
}

async function importKeys(db: Kysely<Schema>): Promise<readonly SealedValue[]> {
  const rows = await db.selectFrom("import_keys").selectAll().execute();
  return rows.map(({ region, key_id: keyId, token_id: tokenId, sealed }) => ({
    identity: importKeyIdentity({ region, keyId }, tokenId),
    sealed,
    replace: (trx, value) =>
      trx
        .updateTable("import_keys")
        .set({ sealed: value })
        .where("region", "=", region)
        .where("key_id", "=", keyId)
        .where("token_id", "=", tokenId)
        .execute(),
  }));
}
