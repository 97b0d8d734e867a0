// Every secret that a database holds sealed under its root key, with the identity that each is sealed as. A new sealed
// column belongs here: re-keying and verifying know no other list.

import type { Kysely } from "kysely";
import { LEGACY_KEY, LEGACY_META } from "../audit/legacy-chain.ts";
import { backingKeyIdentity, importKeyIdentity } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import type { KeySpec } from "../keys/key-spec.ts";
import { META, SIGNING_KEY, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";

/** One sealed value and how it is put back after it was sealed anew. */
export interface SealedValue {
  readonly identity: string;
  readonly sealed: Uint8Array;
  readonly replace: (db: Kysely<Schema>, sealed: Uint8Array) => Promise<unknown>;
}

/**
 * All sealed values of a database, but the root check and the key of the rows' MACs: with another root key, those are
 * made anew. @throws KmsError `store-corrupt` if one that must be there is not.
 */
export async function sealedValues(db: Kysely<Schema>): Promise<readonly SealedValue[]> {
  return [await auditKey(db), ...(await backingKeys(db)), ...(await importKeys(db))];
}

/** The audit's key, of the log or of the chain that an earlier version kept. */
export async function auditKey(db: Kysely<Schema>): Promise<SealedValue> {
  const meta = await readMeta(db);
  const isLegacy = !meta.has(META.signingKey) && meta.has(LEGACY_META.key);
  const [name, identity] = isLegacy ? [LEGACY_META.key, LEGACY_KEY] : [META.signingKey, SIGNING_KEY];
  const sealed = meta.get(name);
  if (sealed === undefined) throw new KmsError("store-corrupt", `it has no ${name}.`);
  return {
    identity,
    sealed,
    replace: (trx, value) => trx.updateTable("meta").set({ value }).where("name", "=", name).execute(),
  };
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
