// The table `meta`: facts about the database itself, one a row, and what the sealed ones are sealed as.

import { sql } from "kysely";
import type { Kysely } from "kysely";
import { KmsError } from "../errors.ts";
import type { Schema } from "./schema.ts";

/** Names of the rows: the checkpoint is signed and not secret. */
export const META = {
  salt: "root-salt",
  check: "root-check",
  signingKey: "audit-signing-key",
  checkpoint: "audit-checkpoint",
  rowKey: "row-key",
  rowDigest: "row-digest",
  /** Only in a database that the emulator made. */
  emulator: "emulator",
} as const;

/** Those that a commit changes. The digest over the rows covers all others. */
export const VOLATILE_META: ReadonlySet<string> = new Set([META.checkpoint, META.rowDigest]);

/** Identities of what `meta` holds sealed. */
export const ROOT_CHECK = "strongroom-kms/root-check/2";
export const SIGNING_KEY = "strongroom-kms/audit-signing-key";
export const ROW_KEY = "strongroom-kms/row-key";
/** What the root check was sealed as while rows carried no MACs: only such a database gets its first ones. */
export const ROOT_CHECK_WITHOUT_MACS = "strongroom-kms/root-check";

/** Name -> value. @throws KmsError `store-corrupt` for a row that is no name and bytes. */
export async function readMeta(db: Kysely<Schema>): Promise<ReadonlyMap<string, Uint8Array>> {
  const { rows } = await sql<{ name: string | null; value: Uint8Array | null }>`
    select case typeof(name) when 'text' then name end as name, case typeof(value) when 'blob' then value end as value
    from meta order by name`.execute(db);
  return new Map(
    rows.map(({ name, value }) => {
      if (name === null || value === null)
        throw new KmsError("store-corrupt", `meta ${JSON.stringify(name)} does not hold bytes.`);
      return [name, value];
    }),
  );
}

/** Writes rows of `meta`, in the place of those of their names. */
export async function writeMeta(db: Kysely<Schema>, values: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const rows = Object.entries(values).map(([name, value]) => ({ name, value }));
  await db.replaceInto("meta").values(rows).execute();
}
