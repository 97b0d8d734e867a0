// The tables of kms.sqlite and the migrations that make them. A migration is never changed once released.

import type { Kysely, Migration } from "kysely";

/** Facts about the database itself; `value` depends on the name. */
interface MetaTable {
  name: string;
  value: Uint8Array;
}

/** A MAC over the row (integrity/row-mac.ts); null until a database of an earlier version is first opened. */
interface Authenticated {
  mac: Uint8Array | null;
}

/** A key's description without its secrets, as JSON (store/rows.ts). */
interface KeyTable extends Authenticated {
  region: string;
  key_id: string;
  record: string;
}

/** One backing key; `sealed` is null once its material is destroyed. */
interface BackingKeyTable extends Authenticated {
  region: string;
  key_id: string;
  material_id: string;
  position: number;
  record: string;
  public_key: Uint8Array | null;
  sealed: Uint8Array | null;
}

interface AliasTable extends Authenticated {
  region: string;
  name: string;
  key_id: string;
  created_at: number;
  updated_at: number;
}

interface GrantTable extends Authenticated {
  region: string;
  grant_id: string;
  key_id: string;
  record: string;
}

interface ImportKeyTable extends Authenticated {
  region: string;
  key_id: string;
  token_id: string;
  algorithm: string;
  valid_to: number;
  sealed: Uint8Array;
}

interface LastUseTable extends Authenticated {
  region: string;
  key_id: string;
  record: string;
}

/** The audit log (audit/log.ts): entry `seq` is leaf `seq - 1` of its tree. */
interface AuditTable {
  seq: number;
  /** Null once it was pruned: then the log goes on with the leaf's hash alone. */
  event: string | null;
  leaf: Uint8Array;
}

/** Roots of complete subtrees of the audit log, of every eighth height: 256 leaves, 65536 leaves and so on. */
interface AuditNodeTable {
  height: number;
  position: number;
  hash: Uint8Array;
}

/** The audit before migration 0003 (audit/legacy-chain.ts), under its name then and while it waits to be adopted. */
export interface LegacySchema {
  audit: { seq: number; event: string; mac: Uint8Array };
  audit_0001: { seq: number; event: string; mac: Uint8Array };
}

export interface Schema {
  meta: MetaTable;
  keys: KeyTable;
  backing_keys: BackingKeyTable;
  aliases: AliasTable;
  grants: GrantTable;
  import_keys: ImportKeyTable;
  last_uses: LastUseTable;
  audit: AuditTable;
  audit_nodes: AuditNodeTable;
}

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("meta")
      .addColumn("name", "text", (c) => c.primaryKey())
      .addColumn("value", "blob", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("keys")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("record", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("keys_pk", ["region", "key_id"])
      .execute();
    await db.schema
      .createTable("backing_keys")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("material_id", "text", (c) => c.notNull())
      .addColumn("position", "integer", (c) => c.notNull())
      .addColumn("record", "text", (c) => c.notNull())
      .addColumn("public_key", "blob")
      .addColumn("sealed", "blob")
      .addPrimaryKeyConstraint("backing_keys_pk", ["region", "key_id", "material_id"])
      .execute();
    await db.schema
      .createTable("aliases")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("name", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("created_at", "integer", (c) => c.notNull())
      .addColumn("updated_at", "integer", (c) => c.notNull())
      .addPrimaryKeyConstraint("aliases_pk", ["region", "name"])
      .execute();
    await db.schema
      .createTable("grants")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("grant_id", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("record", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("grants_pk", ["region", "grant_id"])
      .execute();
    await db.schema
      .createTable("import_keys")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("token_id", "text", (c) => c.notNull())
      .addColumn("algorithm", "text", (c) => c.notNull())
      .addColumn("valid_to", "integer", (c) => c.notNull())
      .addColumn("sealed", "blob", (c) => c.notNull())
      .addPrimaryKeyConstraint("import_keys_pk", ["region", "key_id", "token_id"])
      .execute();
    await db.schema
      .createTable("last_uses")
      .addColumn("region", "text", (c) => c.notNull())
      .addColumn("key_id", "text", (c) => c.notNull())
      .addColumn("record", "text", (c) => c.notNull())
      .addPrimaryKeyConstraint("last_uses_pk", ["region", "key_id"])
      .execute();
    await db.schema
      .createTable("audit")
      .addColumn("seq", "integer", (c) => c.primaryKey())
      .addColumn("event", "text", (c) => c.notNull())
      .addColumn("mac", "blob", (c) => c.notNull())
      .execute();
  },
};

const rowMacs: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of ["keys", "backing_keys", "aliases", "grants", "import_keys", "last_uses"])
      await db.schema.alterTable(table).addColumn("mac", "blob").execute();
  },
};

/** The old entries are set aside: their chain is verified with its key, which a migration does not have. */
const auditTree: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("audit").renameTo("audit_0001").execute();
    await db.schema
      .createTable("audit")
      .addColumn("seq", "integer", (c) => c.primaryKey())
      .addColumn("event", "text")
      .addColumn("leaf", "blob", (c) => c.notNull())
      .execute();
    await db.schema
      .createTable("audit_nodes")
      .addColumn("height", "integer", (c) => c.notNull())
      .addColumn("position", "integer", (c) => c.notNull())
      .addColumn("hash", "blob", (c) => c.notNull())
      .addPrimaryKeyConstraint("audit_nodes_pk", ["height", "position"])
      .execute();
  },
};

/** Name -> migration, applied in the order of the names. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-first": first,
  "0002-row-macs": rowMacs,
  "0003-audit-tree": auditTree,
};
