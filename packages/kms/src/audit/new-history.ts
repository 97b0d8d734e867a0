// The two ways in which entries that are there become a tree: a chain of MACs of before is adopted, once it is
// verified; and a log that does not fit what was signed or seen is accepted as another history, by an operator who
// gives a reason, with what was lost on record for ever.

import type { KeyObject } from "node:crypto";
import { sql } from "kysely";
import type { Kysely, Transaction } from "kysely";
import { isStored } from "@strongroom/tlog/stored-tree";
import { CompactRange, HASH_LENGTH, leafHash } from "@strongroom/tlog/tree";
import { META } from "../store/meta.ts";
import type { LegacySchema, Schema } from "../store/schema.ts";
import { asLogEvent, logEvent, operator } from "./log-event.ts";
import type { LogEvent } from "./log-event.ts";
import { LEGACY_META, legacyTable } from "./legacy-chain.ts";
import type { Extension, Head } from "./log.ts";
import { extendLog, newOrigin, ownCheckpoint, signerFor } from "./log.ts";
import { writeExtension } from "./tree-rows.ts";

/** So many rows are hashed at once, and so many numbers are named in an event. */
const PAGE = 2000;
const MOST_NAMED = 100;

/** Begins a log without entries. */
export const emptyLog = (key: KeyObject): Extension => extendLog(signerFor(newOrigin(), key), new CompactRange(), []);

/** Makes leaves of the entries of a verified chain, in the caller's transaction, and forgets the chain. */
export async function adoptChain(trx: Transaction<Schema>, key: KeyObject, at: number): Promise<void> {
  await takeLegacyRows(trx);
  const { range } = await rebuildTree(trx);
  const entries = range.size;
  await beginHistory(trx, { key, range, events: entries === 0 ? [] : [logEvent("AdoptAudit", { entries }, at)] });
}

/** What an operator accepts. */
export interface Acceptance {
  readonly key: KeyObject;
  readonly reason: string;
  /** What the witness has, as signed. */
  readonly witnessed: string | null;
  /** With how many entries the rows were last written; null if that cannot be said. */
  readonly rowsAt: number | null;
  /** Milliseconds. */
  readonly at: number;
}

/** The new history's end, and how many entries the old one had, as far as can be said. */
export interface Accepted {
  readonly head: Head;
  readonly before: number;
}

/** Goes on as a new history from the entries that are there, whatever they are, in the caller's transaction. */
export async function acceptHistory(
  trx: Transaction<Schema>,
  { key, reason, witnessed, rowsAt, at }: Acceptance,
): Promise<Accepted> {
  const stored = ownNote(await storedNote(trx), key);
  const size = ownCheckpoint(stored, key)?.size ?? null;
  // A log that has a checkpoint has no chain of before: one that is there was put there.
  if (size === null) await takeLegacyRows(trx);
  else await trx.schema.dropTable("audit_0001").ifExists().execute();
  const missing = await missingNumbers(trx, size ?? 0);
  const { range, changed, kept } = await rebuildTree(trx);
  const found = range.size;
  const notes = { stored, witnessed: ownNote(witnessed, key) };
  const details = { reason, by: operator(), found, kept, missing, changed, ...notes, rowsAt };
  const head = await beginHistory(trx, { key, range, events: [logEvent("AcceptAudit", details, at)] });
  return { head, before: size ?? found };
}

/** Signs the tree that is there under an origin of its own, with these events. */
async function beginHistory(
  trx: Transaction<Schema>,
  { key, range, events }: { key: KeyObject; range: CompactRange; events: readonly LogEvent[] },
): Promise<Head> {
  const extension = extendLog(signerFor(newOrigin(), key), range, events);
  await trx
    .replaceInto("meta")
    .values({ name: META.checkpoint, value: Buffer.from(extension.checkpoint) })
    .execute();
  await trx.deleteFrom("meta").where("name", "in", Object.values(LEGACY_META)).execute();
  await writeExtension(trx, extension);
  return extension;
}

/** The checkpoint in the database, whoever signed it. */
async function storedNote(db: Kysely<Schema>): Promise<string | null> {
  const row = await db.selectFrom("meta").selectAll().where("name", "=", META.checkpoint).executeTakeFirst();
  return row === undefined ? null : Buffer.from(row.value).toString("utf8");
}

/** The note, if it is a checkpoint that this key signed: nothing else is worth keeping for ever. */
const ownNote = (note: string | null, key: KeyObject): string | null =>
  ownCheckpoint(note, key) === null ? null : note;

/** Moves the rows that migration 0003 set aside, if there are any. */
async function takeLegacyRows(trx: Transaction<Schema>): Promise<void> {
  if ((await legacyTable(trx)) !== "audit_0001") return;
  const legacy = trx as unknown as Transaction<LegacySchema>;
  const noHash = sql.lit(HASH_LENGTH);
  await sql`
    insert or ignore into audit (seq, event, leaf)
    select seq, event, zeroblob(${noHash}) from audit_0001`.execute(legacy);
  await trx.schema.dropTable("audit_0001").execute();
}

/** Numbers up to `size` that no entry has, as ranges. */
async function missingNumbers(trx: Transaction<Schema>, size: number): Promise<string[]> {
  const { rows } = await sql<{ first: number; last: number }>`
    select before + 1 as first, seq - 1 as last from (
      select seq, lag(seq, 1, 0) over (order by seq) as before
      from (select seq from audit where seq between 1 and ${size} union select ${size + 1})
    ) where seq > before + 1 limit ${MOST_NAMED}`.execute(trx);
  return rows.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
}

/** Numbers the entries anew, hashes what texts there are, and stores the subtrees. */
async function rebuildTree(
  trx: Transaction<Schema>,
): Promise<{ range: CompactRange; changed: number[]; kept: number[] }> {
  await trx.schema.dropTable("audit_found").ifExists().execute();
  await sql`create table audit_found as select row_number() over (order by seq) as seq, event, leaf from audit`.execute(
    trx,
  );
  await trx.deleteFrom("audit").execute();
  await trx.deleteFrom("audit_nodes").execute();
  const range = new CompactRange();
  const changed: number[] = [];
  const logEvents: number[] = [];
  for (;;) {
    const { rows } = await sql<{ seq: number; event: unknown; leaf: unknown }>`
      select seq, event, leaf from audit_found
      where seq > ${range.size} and seq <= ${range.size + PAGE} order by seq`.execute(trx);
    if (rows.length === 0) break;
    for (const { seq, event: found, leaf: kept } of rows) {
      const event = typeof found === "string" ? found : null;
      const leaf = event === null && isHash(kept) ? kept : leafHash(event ?? "");
      if (!isHash(kept) || (Buffer.compare(kept, leaf) !== 0 && kept.some((byte) => byte !== 0))) changed.push(seq);
      if (event !== null && asLogEvent(event) !== null) logEvents.push(seq);
      await trx.insertInto("audit").values({ seq, event, leaf }).execute();
      const nodes: { height: number; position: number; hash: Uint8Array }[] = [];
      range.append(leaf, 0, (subtree) => {
        if (isStored(subtree)) nodes.push({ height: subtree.height, position: subtree.index, hash: subtree.hash });
      });
      if (nodes.length > 0) await trx.insertInto("audit_nodes").values(nodes).execute();
    }
  }
  await trx.schema.dropTable("audit_found").execute();
  return { range, changed: changed.slice(0, MOST_NAMED), kept: logEvents };
}

const isHash = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === HASH_LENGTH;
