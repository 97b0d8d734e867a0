// The whole log against its own checkpoint: every entry is there, says what it said, in its order, and nothing follows.
// What can be wrong is one error that names the first entry concerned.

import type { KeyObject } from "node:crypto";
import { sqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { CompactRange, HASH_LENGTH, leafHash } from "@strongroom/tlog/tree";
import type { Subtree } from "@strongroom/tlog/tree";
import { KmsError } from "../errors.ts";
import { META } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { asLogEvent, isNamed } from "./log-event.ts";
import type { LogEvent } from "./log-event.ts";
import { isStored, openCheckpoint } from "./log.ts";

/** A log that is whole. */
export interface CheckedLog {
  /** The signed note. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly range: CompactRange;
  /** How many entries are kept only as hashes. */
  readonly hashesOnly: number;
  /** Histories that were given up, oldest first. */
  readonly accepted: readonly LogEvent<"AcceptAudit">[];
}

/** So many rows are read at once. */
const PAGE = 2000;

const broken = (detail: string): KmsError => new KmsError("audit-broken", detail);

/**
 * Verifies the log of a database from its first entry to its checkpoint: every text is hashed anew.
 * @throws KmsError `audit-broken`, `store-failed`.
 */
export async function checkLog(db: Kysely<Schema>, key: KeyObject): Promise<CheckedLog> {
  try {
    return await checkEntries(db, key);
  } catch (cause) {
    if (cause instanceof KmsError) throw cause;
    if (sqliteFailure(cause) === "other")
      throw new KmsError("audit-broken", "its tables have another form.", { cause });
    throw new KmsError("store-failed", "the audit log could not be read.", { cause });
  }
}

async function checkEntries(db: Kysely<Schema>, key: KeyObject): Promise<CheckedLog> {
  const stored = await db.selectFrom("meta").selectAll().where("name", "=", META.checkpoint).executeTakeFirst();
  if (!(stored?.value instanceof Uint8Array)) throw broken("its checkpoint is missing.");
  const checkpoint = openCheckpoint(stored.value, key, "its checkpoint");
  const nodes = await StoredNodes.read(db);
  const range = new CompactRange();
  const events: LogEvent[] = [];
  let [hashesOnly, lastHashOnly] = [0, 0];
  while (range.size < checkpoint.size) {
    for (const row of await readPage(db, range.size, checkpoint.size)) {
      if (row.seq !== range.size + 1) throw missing(range.size + 1, checkpoint.size);
      const event = requireLeaf(row);
      range.append(row.leaf, 0, (subtree) => {
        nodes.require(subtree);
      });
      if (event === null) [hashesOnly, lastHashOnly] = [hashesOnly + 1, row.seq];
      const logged = event === null ? null : asLogEvent(event);
      if (logged !== null) events.push(logged);
    }
  }
  await requireNothingMore(db, checkpoint.size);
  nodes.requireNoOther();
  if (Buffer.compare(range.root(), checkpoint.root) !== 0)
    throw broken(
      `its ${range.size} entries are not those that were signed: some were changed, together with their hashes.`,
    );
  if (lastHashOnly > prunedThrough(events)) throw broken(`the text of entry ${lastHashOnly} was removed.`);
  const accepted = events.filter((event) => isNamed(event, "AcceptAudit"));
  return { note: Buffer.from(stored.value).toString("utf8"), checkpoint, range, hashesOnly, accepted };
}

const missing = (seq: number, size: number): KmsError =>
  broken(`entry ${seq} is missing, of ${size} that were signed.`);

async function readPage(
  db: Kysely<Schema>,
  after: number,
  size: number,
): Promise<{ seq: number; event: unknown; leaf: Uint8Array }[]> {
  const rows = await db
    .selectFrom("audit")
    .selectAll()
    .where("seq", ">", after)
    .where("seq", "<=", Math.min(after + PAGE, size))
    .orderBy("seq")
    .execute();
  if (rows.length === 0) throw missing(after + 1, size);
  return rows;
}

/** The text of an entry, null if it is kept only as a hash. */
function requireLeaf({ seq, event, leaf }: { seq: number; event: unknown; leaf: unknown }): string | null {
  const isHash = leaf instanceof Uint8Array && leaf.length === HASH_LENGTH;
  if (isHash && event === null) return null;
  if (isHash && typeof event === "string" && Buffer.compare(leafHash(event), leaf) === 0) return event;
  throw broken(`entry ${seq} was changed.`);
}

async function requireNothingMore(db: Kysely<Schema>, size: number): Promise<void> {
  const { count } = await db
    .selectFrom("audit")
    .select((of) => of.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  if (count !== size) throw broken(`it has ${count} entries, of which ${size} were signed.`);
}

/** Up to which entry texts may be missing. */
function prunedThrough(events: readonly LogEvent[]): number {
  const ends = events.map((event) => {
    if (isNamed(event, "PruneAudit")) return event.requestParameters.through;
    return isNamed(event, "AcceptAudit") ? event.requestParameters.found : 0;
  });
  return Math.max(0, ...ends);
}

/** The subtrees that the database keeps, each of which must be as the entries make it. */
class StoredNodes {
  readonly #hashes: Map<string, Uint8Array>;

  private constructor(hashes: Map<string, Uint8Array>) {
    this.#hashes = hashes;
  }

  static async read(db: Kysely<Schema>): Promise<StoredNodes> {
    const rows = await db.selectFrom("audit_nodes").selectAll().execute();
    return new StoredNodes(new Map(rows.map(({ height, position, hash }) => [`${height}/${position}`, hash])));
  }

  /** Looks at a subtree that the entries complete, once. */
  require(subtree: Subtree): void {
    if (!isStored(subtree)) return;
    const name = `${subtree.height}/${subtree.index}`;
    const stored = this.#hashes.get(name);
    if (!(stored instanceof Uint8Array) || Buffer.compare(stored, subtree.hash) !== 0)
      throw broken(`the hash of a subtree (${name}) was changed.`);
    this.#hashes.delete(name);
  }

  requireNoOther(): void {
    const [name] = this.#hashes.keys();
    if (name !== undefined) throw broken(`it has the hash of a subtree (${name}) that it does not have.`);
  }
}
