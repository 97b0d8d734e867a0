/**
 * Goes on with stores that do not go together, because somebody says so: a backup was restored. (Of a standby that
 * lacked the last moments see accept-tail.ts.) Another history of the log begins with an entry that says what was found
 * and what was lost, and everything that is there is adopted anew (adopt-restored.ts); the entries of before stay where
 * they are.
 */
import { VaultError } from "../errors.ts";
import { isCollection } from "../records/address.ts";
import type { Address, Collection, RecordId } from "../records/address.ts";
import type { AddressHead, AuditLog, LogStream } from "../stores/audit-log.ts";
import type { AddressTag, EntryId } from "../stores/outbox.ts";
import type { ListedRecord, RecordRows } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { storeStreams } from "./compare-stores.ts";
import type { Comparison, SetBackStream } from "./compare-stores.ts";
import { parseEntry } from "./entry-text.ts";
import type { HeldLog } from "./held-log.ts";
import { acceptedRestores, rolledBack } from "./own-checkpoints.ts";
import { OUTBOXES } from "./stream-care.ts";
import type { Outboxes } from "./stream-care.ts";

/**
 * A backup that was restored. Its cut is an entry that the audit was told before the first store was copied: so the
 * stores of the backup have it, and whatever was acknowledged before it.
 */
export interface RestoredBackup {
  /** Why it was restored: 1 to 1,000 characters. */
  readonly reason: string;
  /** The backup's own id. */
  readonly backup: string;
  /** The id of the entry `cut`. */
  readonly cut: string;
  /** A signed checkpoint of the log with it. */
  readonly checkpoint: string;
  /** The verifier key by which the backup was checked: it must be this vault's. */
  readonly key: string;
  /** The two principals who restore it together, where two are needed. The audit has them in clear. */
  readonly approvedBy?: readonly [string, string];
}

/** What is accepted, and why. */
export interface AcceptedRestore {
  /** As the operator said it, at most 1,000 characters. */
  readonly reason: string;
  readonly comparison: Comparison;
  /** Left out: no backup is named. */
  readonly named?: RestoredBackup;
}

/** What a restore is accepted with. */
export interface RestoreParts {
  readonly log: AuditLog;
  readonly outboxes: Outboxes;
  readonly records: Pick<RecordStore, "collections" | "list">;
  readonly keys: Pick<AuditKeys, "tag">;
}

const PAGE = 500;
export const MOST_STREAMS = 500;
const LONGEST_REASON = 1000;

/** Begins another history. What is accepted is durable when it resolves. */
export async function acceptRestore(
  { log, outboxes, records, keys }: RestoreParts,
  held: HeldLog,
  { reason, comparison, named: restored }: AcceptedRestore,
): Promise<void> {
  const rows = await storeNumbers(outboxes);
  const behind = rows.filter((row) => isBehindLog(row, held));
  // What is authentic of what waits is a part of the log, and holes in it are told by their names.
  while (await held.carry());
  const { missing, differing } = await otherRecords(log, records, keys);
  const lost = comparison.differences.flatMap(({ streams = [] }) => streams);
  const entry = {
    action: "accept-restore",
    details: {
      reason: kept(reason),
      ...(restored === undefined ? {} : { backup: restored.backup, cut: restored.cut }),
      ...(restored?.approvedBy === undefined ? {} : { approvedBy: restored.approvedBy.join(" ") }),
      ...checkpointsOf(comparison),
      ...(await witnessed(comparison)),
      recordsMissing: missing,
      recordsDiffering: differing,
      lostStreams: lost.length,
      ...(lost.length === 0 ? {} : { lost: lost.slice(0, MOST_STREAMS).map(named).join(" ") }),
    },
  } as const;
  const streams = rows.map((row) => (behind.includes(row) ? row : furthest(row, held)));
  await held.addOwn([entry], { streams, adopted: false, begins: true });
}

/**
 * That the stores are those of the backup that is named: its cut is in this log, at a checkpoint that this vault's
 * audit signed, by the key that whoever checked the backup believed.
 *
 * @throws VaultError `audit-foreign`: it is another vault's; `store-rolled-back`: the log does not have the cut
 */
export async function requireCut(
  log: Pick<AuditLog, "positions">,
  { log: whole }: Pick<Comparison, "log">,
  { cut, checkpoint, key }: RestoredBackup,
  vkeyOf: (origin: string) => string,
): Promise<void> {
  if (whole === null) throw new VaultError("store-rolled-back", "The backup's log of the audit is not whole in itself");
  const own = whole.own(checkpoint);
  if (own === null || vkeyOf(own.origin) !== key)
    throw new VaultError("audit-foreign", "The backup's cut is not signed by the audit of this vault");
  await whole.compare(checkpoint, "the backup's cut");
  const [position = null] = await log.positions([cut as EntryId]);
  if (position === null || position >= own.size)
    throw new VaultError("store-rolled-back", "The backup's cut is not in its log of the audit");
}

/** A reason as the log keeps it. */
const kept = (reason: string): string => reason.toWellFormed().slice(0, LONGEST_REASON);

/**
 * That nothing was accepted for this reason before: what is left in a unit's file would accept for ever.
 *
 * @throws VaultError `store-rolled-back`
 */
export async function requireNewReason(log: Pick<AuditLog, "find">, reason: string): Promise<void> {
  for await (const { position, text } of acceptedRestores(log)) {
    const said = text === null ? null : (parseEntry(text)?.details?.["reason"] ?? null);
    if (said === kept(reason))
      throw rolledBack(
        `the stores do not go together, and entry ${position} of the audit has accepted a restore for the very reason ` +
          "that was given: each is accepted once. Remove it where it is configured, and say another to accept this one",
      );
  }
}

/** How far each stream is in its store. */
export async function storeNumbers(outboxes: Outboxes): Promise<readonly LogStream[]> {
  const all: LogStream[] = [];
  for (const outbox of OUTBOXES)
    for await (const page of storeStreams(outboxes[outbox]))
      for (const { stream, last } of page) all.push({ outbox, stream, number: last, ended: false });
  return all;
}

/** Whether the store lacks what the log has of it: then the store's number counts from now on. */
function isBehindLog({ outbox, stream, number }: LogStream, held: HeldLog): boolean {
  return (held.streams.get(outbox, stream)?.number ?? 0) > number;
}

/** Of other streams more may have been carried meanwhile. */
function furthest(row: LogStream, held: HeldLog): LogStream {
  const known = held.streams.get(row.outbox, row.stream);
  return known !== undefined && known.number > row.number ? { ...known, ended: false } : row;
}

/** What was found, and what the key store had: both are given up, and are known by it when they turn up. */
function checkpointsOf({ state, kept }: Comparison): Readonly<Record<string, string | number>> {
  return {
    size: state.size,
    ...(state.checkpoint === null ? {} : { found: state.checkpoint }),
    ...(kept === null ? {} : { kept }),
  };
}

/** The same of witnesses, as far as they give out what they have. */
async function witnessed({ witnesses }: Comparison): Promise<Readonly<Record<string, string>>> {
  const notes: Record<string, string> = {};
  for (const [index, { witness }] of witnesses.entries()) {
    const note = await witness.read().catch(() => null);
    if (note !== null) notes[`witness${index + 1}`] = note;
  }
  return notes;
}

export const named = ({ outbox, stream, from, to }: SetBackStream): string => `${outbox}/${stream}:${from}-${to}`;

/** How many records the log knows as live and the store does not have, or has as others than the log knows them. */
async function otherRecords(
  log: AuditLog,
  records: RestoreParts["records"],
  keys: RestoreParts["keys"],
): Promise<{ readonly missing: number; readonly differing: number }> {
  const there = new Set<AddressTag>();
  let differing = 0;
  let some: { readonly tag: AddressTag; readonly rows: RecordRows }[] = [];
  const look = async (): Promise<void> => {
    const latest = await log.latest(some.map(({ tag }) => ({ tag, message: null })));
    for (const [index, { rows }] of some.entries()) {
      const head = latest[index]?.head ?? null;
      if (head !== null && !isLiveAs(head, rows)) differing++;
    }
    some = [];
  };
  for (const { name } of await records.collections()) {
    // Of what no vault would call a collection, nobody reads a record.
    if (!isCollection(name)) continue;
    for await (const { address, rows } of listedRecords(records, name)) {
      const tag = keys.tag(address);
      // What changes its place while it is listed comes twice.
      if (there.has(tag)) continue;
      there.add(tag);
      some.push({ tag, rows });
      if (some.length === PAGE) await look();
    }
  }
  await look();
  let missing = 0;
  let after: AddressTag | null = null;
  for (;;) {
    const page: readonly { readonly tag: AddressTag }[] = await log.heads({ only: "live", after, limit: PAGE });
    for (const { tag } of page) if (!there.has(tag)) missing++;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return { missing, differing };
    after = last.tag;
  }
}

/** Whether a record is there, and as the log knows it. */
export const isLiveAs = ({ version, state, entry }: AddressHead, rows: RecordRows): boolean =>
  state === "live" && rows.head?.version === version && (rows.entry ?? null) === entry;

/** Records of a collection, as the store lists them. */
export async function* listedRecords(
  records: RestoreParts["records"],
  collection: Collection,
): AsyncGenerator<{ readonly address: Address; readonly rows: ListedRecord }> {
  let after: Uint8Array | null = null;
  for (;;) {
    const page: readonly ListedRecord[] = (await records.list(collection, { after, limit: PAGE })) ?? [];
    for (const rows of page)
      if (rows.id.isWellFormed()) yield { address: { collection, id: rows.id as RecordId }, rows };
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.position;
  }
}
