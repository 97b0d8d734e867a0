// The tree in the database: the leaves' hashes beside their texts, and the roots of complete subtrees of every eighth
// height in a table of their own.

import { CompiledQuery } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { StoredTree } from "@strongroom/tlog/stored-tree";
import type { HashRange } from "@strongroom/tlog/stored-tree";
import { META } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import type { Extension } from "./log.ts";

// Fixed texts: building them anew for every entry would cost more than running them.
const INSERT_ENTRY = 'insert into "audit" ("seq", "event", "leaf") values (?, ?, ?)';
const INSERT_NODE = 'insert into "audit_nodes" ("height", "position", "hash") values (?, ?, ?)';
const UPDATE_CHECKPOINT = 'update "meta" set "value" = ? where "name" = ?';

/** Stores what a commit adds, inside the caller's transaction. */
export async function writeExtension(trx: Transaction<Schema>, extension: Extension): Promise<void> {
  const { entries, nodes, checkpoint } = extension;
  if (entries.length === 0) return;
  for (const { seq, event, leaf } of entries)
    await trx.executeQuery(CompiledQuery.raw(INSERT_ENTRY, [seq, event, leaf]));
  for (const { height, index, hash } of nodes)
    await trx.executeQuery(CompiledQuery.raw(INSERT_NODE, [height, index, hash]));
  await trx.executeQuery(CompiledQuery.raw(UPDATE_CHECKPOINT, [Buffer.from(checkpoint, "utf8"), META.checkpoint]));
}

/** The tree as it lies in the database. */
export const storedTree = (db: Kysely<Schema>): StoredTree => new StoredTree((range) => readHashes(db, range));

async function readHashes(db: Kysely<Schema>, { height, start, end }: HashRange): Promise<Uint8Array[]> {
  if (height === 0) {
    const rows = await db
      .selectFrom("audit")
      .select("leaf")
      .where("seq", ">", start)
      .where("seq", "<=", end)
      .orderBy("seq")
      .execute();
    return rows.map((row) => row.leaf);
  }
  const rows = await db
    .selectFrom("audit_nodes")
    .select("hash")
    .where("height", "=", height)
    .where("position", ">=", start)
    .where("position", "<", end)
    .orderBy("position")
    .execute();
  return rows.map((row) => row.hash);
}
