// The whole log against its own checkpoint: every entry is there, says what it said, in its order, and nothing follows.
// What can be wrong is one error that names the first entry concerned.

import type { KeyObject } from "node:crypto";
import { sqliteFailure } from "@strongroom/base/sqlite";
import type { Kysely } from "kysely";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { isStored } from "@strongroom/tlog/stored-tree";
import { CompactRange, HASH_LENGTH, leafHash } from "@strongroom/tlog/tree";
import type { Subtree } from "@strongroom/tlog/tree";
import { KmsError } from "../errors.ts";
import { META } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { asLogEvent, isNamed } from "./log-event.ts";
import type { LogEvent } from "./log-event.ts";
import { openCheckpoint } from "./log.ts";

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
  /** The last cut; null if there was none. */
  readonly lastCut: LogEvent<"PruneAudit"> | null;
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
  const events: NumberedEvent[] = [];
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
      if (logged !== null) events.push({ seq: row.seq, event: logged });
    }
  }
  await requireNothingMore(db, checkpoint.size);
  nodes.requireNoOther();
  if (Buffer.compare(range.root(), checkpoint.root) !== 0)
    throw broken(
      `its ${range.size} entries are not those that were signed: some were changed, together with their hashes.`,
    );
  requireTexts(events, lastHashOnly);
  const accepted = events.map(({ event }) => event).filter((event) => isNamed(event, "AcceptAudit"));
  const cuts = events.map(({ event }) => event).filter((event) => isNamed(event, "PruneAudit"));
  const note = Buffer.from(stored.value).toString("utf8");
  return { note, checkpoint, range, hashesOnly, accepted, lastCut: cuts.at(-1) ?? null };
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

interface NumberedEvent {
  readonly seq: number;
  readonly event: LogEvent;
}

/** Which texts may be missing: those of the entries up to `through`, but for those that were kept. */
interface Cut {
  readonly through: number;
  readonly kept: readonly number[];
}

/**
 * Threat: whoever can write the database uses a cut to remove more: later texts, or those that say what happened to the
 * log and the rows.
 */
function requireTexts(events: readonly NumberedEvent[], lastHashOnly: number): void {
  const cuts = events.map(cutOf);
  if (lastHashOnly > cuts.reduce((most, { through }) => Math.max(most, through), 0))
    throw broken(`the text of entry ${lastHashOnly} was removed.`);
  // What came before a history was accepted has other numbers since.
  const since = events.findLastIndex(({ event }) => isNamed(event, "AcceptAudit"));
  const readable = new Set(events.map(({ seq }) => seq));
  const gone = cuts.slice(Math.max(0, since)).flatMap(({ kept }) => kept.filter((seq) => !readable.has(seq)));
  if (gone[0] !== undefined) throw broken(`the text of entry ${gone[0]} was removed.`);
}

/** An entry speaks only of those before it: one that was planted before it was accepted does not open the future. */
function cutOf({ seq, event }: NumberedEvent): Cut {
  if (isNamed(event, "PruneAudit")) {
    const { through, kept } = event.requestParameters;
    return { through: Math.min(through, seq - 1), kept };
  }
  if (!isNamed(event, "AcceptAudit")) return { through: 0, kept: [] };
  const { found, kept } = event.requestParameters;
  return { through: Math.min(found, seq - 1), kept };
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
