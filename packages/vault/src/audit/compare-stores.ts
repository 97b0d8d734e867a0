/**
 * Whether the three stores go together: each of them alone, or two of them, may be a copy of before. The log is signed;
 * the key store has its newest checkpoint; the log has how far each stream of the two outboxes was, and they have it
 * too.
 *
 * All of it is read while other processes go on, and nothing is locked. What is read first is what may only be behind:
 * the key store's checkpoint before the log, the log's streams before the stores'. Where a stream seems set back all
 * the same, all is read again: it was closed meanwhile, or it is the same one again.
 */
import type { AuditLog, LogState, LogStream, OutboxName } from "../stores/audit-log.ts";
import type { CheckpointRow } from "../stores/key-store.ts";
import { MAX_APPEND_BYTES, MAX_ENTRY_BYTES, STORE_STREAM } from "../stores/outbox.ts";
import type { Outbox, StreamId, StreamRow, WaitingEntry } from "../stores/outbox.ts";
import { isVaultError } from "../errors.ts";
import type { VaultError } from "../errors.ts";
import { rangeOf, storedTree } from "./log-tree.ts";
import { givenUpAt, ownCheckpoint, rolledBack, witnessedLog } from "./own-checkpoints.ts";
import type { OwnKey } from "./own-checkpoints.ts";
import type { ExaminedWitness } from "./publish.ts";
import { originOf } from "./signer.ts";
import type { Seen, Witness, WitnessedLog } from "./witness.ts";

/** What is compared. */
export interface ComparedStores {
  readonly log: AuditLog;
  readonly outboxes: Readonly<Record<OutboxName, Outbox>>;
  readonly checkpoint: CheckpointRow;
  readonly witnesses: readonly Witness[];
  readonly key: OwnKey;
}

/** A stream that a store lacks something of. */
export interface SetBackStream {
  readonly outbox: OutboxName;
  readonly stream: StreamId;
  /** Numbers that the log has, and the store has not. */
  readonly from: number;
  readonly to: number;
}

/** Something that does not go together. */
export interface Difference {
  /** What seems set back. */
  readonly store: "log" | "keys" | "records" | "witness";
  readonly error: VaultError;
  readonly streams?: readonly SetBackStream[];
}

/** What came of a comparison. */
export interface Comparison {
  readonly state: LogState;
  /** Null: nothing is in the log yet. */
  readonly log: WitnessedLog | null;
  /** What the key store has. */
  readonly kept: string | null;
  readonly witnesses: readonly ExaminedWitness[];
  /** Empty: they go together. */
  readonly differences: readonly Difference[];
}

/** How the stores are called in messages. */
const STORES: Readonly<Record<OutboxName, string>> = { records: "the record store", keys: "the key store" };
const PAGE = 1000;

/** Compares everything. Nothing is changed. */
export async function compareStores(stores: ComparedStores): Promise<Comparison> {
  const { published } = await stores.log.state();
  const kept = await stores.checkpoint.read();
  const state = await stores.log.state();
  const log = await told("log", () => wholeLog(stores, state));
  const ofKeys = "is" in log ? await told("log", () => requireKept(stores, { log: log.is, kept, published })) : log;
  const ofStreams = [...(await setBackStreams(stores, "records")), ...(await setBackStreams(stores, "keys"))];
  let differences = [...differencesOf(ofKeys), ...ofStreams];
  if (differences.length === 0) differences = [...(await lostOfLog(stores))];
  const witnesses: ExaminedWitness[] = [];
  for (const witness of stores.witnesses) {
    const seen = await told("witness", () => examine(stores, witness, "is" in log ? log.is : null));
    witnesses.push({ witness, seen: "is" in seen ? seen.is : { kind: "nothing" } });
    differences = [...differences, ...differencesOf(seen)];
  }
  return { state, log: "is" in log ? log.is : null, kept, witnesses, differences };
}

/** What something is, or that it was set back. */
type Told<Result> = { readonly is: Result } | { readonly differs: Difference };

async function told<Result>(store: Difference["store"], look: () => Promise<Result>): Promise<Told<Result>> {
  try {
    return { is: await look() };
  } catch (error) {
    if (error instanceof KeysSetBack) return { differs: { store: "keys", error: error.why } };
    if (!isVaultError(error) || error.code !== "store-rolled-back") throw error;
    return { differs: { store, error } };
  }
}

const differencesOf = (one: Told<unknown>): readonly Difference[] => ("is" in one ? [] : [one.differs]);

/** @throws VaultError `store-rolled-back`: the first of the differences, and how many more there are */
export function requireTogether({ differences }: Pick<Comparison, "differences">): void {
  const [first, ...more] = differences;
  if (first === undefined) return;
  if (more.length === 0) throw first.error;
  throw rolledBack(`${first.error.message}; and ${more.map(({ error }) => error.message).join("; and ")}`);
}

/** The log, if it is whole in itself. */
async function wholeLog({ log, key }: ComparedStores, state: LogState): Promise<WitnessedLog | null> {
  const { history, size, checkpoint: note } = state;
  if (history === null) {
    if (size === 0 && note === null) return null;
    throw rolledBack("the audit's log has entries, and does not say of which history");
  }
  const checkpoint = note === null ? null : ownCheckpoint(note, key);
  if (note === null || checkpoint === null)
    throw rolledBack("the checkpoint of the audit's log is not signed by its key");
  if (checkpoint.origin !== originOf(key.vault, history))
    throw rolledBack("the checkpoint of the audit's log is of another history of it");
  const range = rangeOf(state);
  const isSigned = (root: Uint8Array): boolean => Buffer.compare(root, checkpoint.root) === 0;
  if (checkpoint.size !== size || range === null || !isSigned(range.root()))
    throw rolledBack(`the audit's log has another tree than its checkpoint of ${checkpoint.size} entries says`);
  const isStored = await storedTree(log)
    .at(size)
    .then((stored) => isSigned(stored.root()))
    .catch((error: unknown) => {
      if (error instanceof RangeError) return false;
      throw error;
    });
  if (!isStored) throw rolledBack(`the hashes in the audit's log do not come to its checkpoint of ${size} entries`);
  return witnessedLog(log, { note, checkpoint }, key);
}

/** It is the key store that was set back, and not the log. */
class KeysSetBack extends Error {
  readonly why: VaultError;

  constructor(why: string) {
    super(why);
    this.why = rolledBack(why);
  }
}

/** The log goes on from what the key store has, and the key store has what the log knows to be there. */
async function requireKept(
  { log: stored }: ComparedStores,
  {
    log,
    kept,
    published,
  }: { readonly log: WitnessedLog | null; readonly kept: string | null; readonly published: number },
): Promise<void> {
  const behind = (has: string): KeysSetBack =>
    new KeysSetBack(`the key store is older than the audit's log: it ${has}, and had the checkpoint of ${published}`);
  if (kept === null) {
    if (published > 0) throw behind("has no checkpoint");
    return;
  }
  if (log === null) throw rolledBack("nothing is in the audit's log, and the key store has a checkpoint of it");
  const size = await log.compare(kept, "the key store");
  if (size === 0 && log.own(kept)?.origin !== log.checkpoint.origin) {
    // Of a history that was given up: so it is until the first checkpoint of the new one is there.
    const began = await givenUpAt(stored);
    if (published > began) throw behind("has the checkpoint of a history that was given up");
    return;
  }
  if (size < published) throw behind(`has the checkpoint of ${size} entries`);
}

/** Streams of which the log has what the store lacks. */
async function setBackStreams(stores: ComparedStores, outbox: OutboxName): Promise<readonly Difference[]> {
  let suspects = await behindLog(stores, outbox, null);
  for (let rounds = 0; rounds < 2 && suspects.length > 0; rounds++)
    suspects = await behindLog(stores, outbox, suspects);
  const [first] = suspects;
  if (first === undefined) return [];
  const { from, to, stream } = first;
  const missing = from === to ? `number ${to} is` : `numbers ${from} to ${to} are`;
  const more = suspects.length === 1 ? "" : `, and ${suspects.length - 1} more streams`;
  const message = `${STORES[outbox]} is older than the audit's log: ${missing} missing of stream ${stream}${more}`;
  return [{ store: outbox, error: rolledBack(message), streams: suspects }];
}

/** One look, at all streams or at those that a look before has found. */
async function behindLog(
  { log, outboxes }: ComparedStores,
  outbox: OutboxName,
  only: readonly SetBackStream[] | null,
): Promise<readonly SetBackStream[]> {
  const asked = only === null ? null : new Set(only.map(({ stream }) => stream));
  const found: SetBackStream[] = [];
  for await (const page of logStreams(log, outbox)) {
    const open = page.filter(({ stream, number }) => number > 0 && (asked?.has(stream) ?? true));
    const rows = open.length === 0 ? [] : await outboxes[outbox].streams(open.map(({ stream }) => stream));
    for (const [index, { stream, number, ended }] of open.entries()) {
      const row = rows[index] ?? null;
      const isThere = row === null ? ended : row.last >= number;
      if (!isThere) found.push({ outbox, stream, from: (row?.last ?? 0) + 1, to: number });
    }
  }
  return found;
}

/** Pages of the log's streams. */
export async function* logStreams(
  log: Pick<AuditLog, "streams">,
  outbox: OutboxName,
): AsyncGenerator<readonly LogStream[]> {
  let after: StreamId | null = null;
  for (;;) {
    const page: readonly LogStream[] = await log.streams(outbox, { after, limit: PAGE });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.stream;
  }
}

/** Pages of a store's streams. */
export async function* storeStreams(outbox: Pick<Outbox, "listStreams">): AsyncGenerator<readonly StreamRow[]> {
  let after: StreamId | null = null;
  for (;;) {
    const page: readonly StreamRow[] = await outbox.listStreams({ after, limit: PAGE });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.stream;
  }
}

/**
 * What processes said when they opened and closed a store is in the log, or it waits: else the log was set back
 * together with the key store, since what it has no more was dropped where it came from. (Of other streams the
 * sequencer tells holes by their names, and goes on: they may be rows that somebody took away.)
 */
async function lostOfLog({ log, outboxes }: ComparedStores): Promise<readonly Difference[]> {
  const found: Difference[] = [];
  for (const outbox of ["records", "keys"] as const) {
    const lost = await lostOfStore({ log, outbox: outboxes[outbox] }, outbox);
    if (lost === null) continue;
    const message =
      `the audit's log is older than ${STORES[outbox]}, or entries were taken away there: ` +
      `number ${lost} of stream ${STORE_STREAM} in the ${outbox} outbox is neither in the log nor waiting`;
    found.push({ store: "log", error: rolledBack(message) });
  }
  return found;
}

const LOOKS = 100;

async function lostOfStore(
  { log, outbox }: { readonly log: AuditLog; readonly outbox: Outbox },
  name: OutboxName,
): Promise<number | null> {
  let before = await logNumber(log, name);
  for (let looks = 0; looks < LOOKS; looks++) {
    const [row = null] = await outbox.streams([STORE_STREAM]);
    if (row === null || row.last <= before) return null;
    const waiting = await outbox.take(PAGE);
    const numbers = new Set(waiting.filter(({ stream }) => stream === STORE_STREAM).map(({ number }) => number));
    let next = before + 1;
    while (next <= row.last && numbers.has(next)) next++;
    // Behind what is given out at once: the sequencer comes to it.
    if (next > row.last || !isAll(waiting, PAGE)) return null;
    const after = await logNumber(log, name);
    if (after === before) return next;
    before = after;
  }
  return null;
}

/** Whether these are all that wait: of long texts an outbox gives out fewer than were asked for. */
export function isAll(rows: readonly WaitingEntry[], limit: number): boolean {
  if (rows.length >= limit) return false;
  return rows.reduce((bytes, { text }) => bytes + text.length, 0) <= MAX_APPEND_BYTES - MAX_ENTRY_BYTES;
}

async function logNumber(log: AuditLog, outbox: OutboxName): Promise<number> {
  // It is the first of all: no other stream has a lower id.
  const [first] = await log.streams(outbox, { after: null, limit: 1 });
  return first?.stream === STORE_STREAM ? first.number : 0;
}

/**
 * What a witness says. Another process may have told it more than was read of the log: then the log is more by now.
 *
 * @throws VaultError `store-rolled-back`
 */
async function examine(stores: ComparedStores, witness: Witness, log: WitnessedLog | null): Promise<Seen> {
  for (let seen = log; ;) {
    try {
      return await examineOnce(witness, seen);
    } catch (error) {
      const before = seen?.checkpoint.size ?? 0;
      const state = await stores.log.state();
      if (state.size <= before) throw error;
      seen = await wholeLog(stores, state);
    }
  }
}

async function examineOnce(witness: Witness, log: WitnessedLog | null): Promise<Seen> {
  if (log !== null) return witness.examine(log);
  const note = await witness.read().catch(() => null);
  if (note === null) return { kind: "nothing" };
  throw rolledBack(`nothing is in the audit's log, and ${witness.name} has seen a checkpoint of it`);
}
