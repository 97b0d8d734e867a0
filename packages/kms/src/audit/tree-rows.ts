// The tree in the database: the leaves' hashes beside their texts, and the roots of complete subtrees of every eighth
// height. Whatever a proof needs is made of at most 255 of them for each height.

import { CompiledQuery } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { consistencyRanges, inclusionRanges } from "@strongroom/tlog/proof";
import type { LeafRange } from "@strongroom/tlog/proof";
import { CompactRange } from "@strongroom/tlog/tree";
import { META } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { STORED_HEIGHTS } from "./log.ts";
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

/** The tree of the first `size` leaves, from what is stored of it. */
export const treeAt = (db: Kysely<Schema>, size: number): Promise<CompactRange> => treeOf(db, { start: 0, end: size });

/** The hashes that prove that entry `index` (from 0) is in the tree of `size` entries. */
export const proveInclusion = (db: Kysely<Schema>, index: number, size: number): Promise<Uint8Array[]> =>
  hashesOf(db, inclusionRanges(index, size));

/** The hashes that prove that the tree of `size` entries begins with that of `oldSize`. */
export const proveConsistency = (db: Kysely<Schema>, oldSize: number, size: number): Promise<Uint8Array[]> =>
  hashesOf(db, consistencyRanges(oldSize, size));

async function hashesOf(db: Kysely<Schema>, ranges: readonly LeafRange[]): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  for (const range of ranges) hashes.push((await treeOf(db, range)).root());
  return hashes;
}

/** The tree of a range of leaves: the largest stored subtrees first, and the leaves that are left. */
async function treeOf(db: Kysely<Schema>, { start, end }: LeafRange): Promise<CompactRange> {
  const range = new CompactRange();
  let height = 0;
  while (2 ** (height + STORED_HEIGHTS) <= end - start) height += STORED_HEIGHTS;
  for (let at = start; height >= 0; height -= STORED_HEIGHTS) {
    const width = 2 ** height;
    const count = Math.floor((end - at) / width);
    const hashes = count === 0 ? [] : await readHashes(db, height, { start: at / width, end: at / width + count });
    for (const hash of hashes) range.append(hash, height);
    at += count * width;
  }
  if (range.size !== end - start) throw new RangeError(`the tree has no leaves ${start} to ${end}`);
  return range;
}

async function readHashes(db: Kysely<Schema>, height: number, { start, end }: LeafRange): Promise<Uint8Array[]> {
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
