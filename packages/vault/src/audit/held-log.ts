/**
 * The log while this process has its lease: carries what waits in both outboxes to it, and tells others how far it is.
 *
 * The order of writes is what an end in between leaves harmless: the log first; then what it has is dropped from the
 * outboxes (by the numbers of its stream it is known again); then the key store gets the checkpoint, then the
 * witnesses.
 */
import { setImmediate } from "node:timers/promises";
import type { AuditLog, LogState, LogStream, OutboxName } from "../stores/audit-log.ts";
import type { Lease } from "../stores/jobs.ts";
import type { CheckpointRow } from "../stores/key-store.ts";
import type { WaitingEntry } from "../stores/outbox.ts";
import type { Alarms } from "./alarms.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { gapAlarm, gapEntry, planBatch, StreamNumbers } from "./batch.ts";
import { isAll, logStreams } from "./compare-stores.ts";
import { Derived } from "./derived.ts";
import { LogAppender } from "./log-appender.ts";
import type { NewEntries } from "./log-appender.ts";
import { placeOwn } from "./log-entries.ts";
import type { OwnEntry } from "./log-entries.ts";
import { witnessedLog } from "./own-checkpoints.ts";
import type { OwnKey } from "./own-checkpoints.ts";
import { publishToKeys } from "./publish.ts";
import type { Witnesses } from "./publish.ts";
import { originOf } from "./signer.ts";
import type { NoteSigner } from "./signer.ts";
import { closeEnded, closingEntry, lookAtStreams, OUTBOXES, takenAway } from "./stream-care.ts";
import type { Outboxes } from "./stream-care.ts";
import { examine } from "./waiting-entries.ts";
import type { Examined } from "./waiting-entries.ts";

/** What the log is kept with. None of it knows of records. */
export interface LogParts {
  readonly log: AuditLog;
  readonly outboxes: Outboxes;
  readonly checkpoint: CheckpointRow;
  readonly keys: Pick<AuditKeys, "vault" | "verifies">;
  readonly signer: NoteSigner;
  readonly key: OwnKey;
  readonly witnesses: Witnesses;
  readonly alarms: Alarms;
  readonly clock: () => Date;
}

/** Entries of one outbox that are taken at once. */
const BATCH = 1000;
/** Batches that are carried until streams are looked at that were ahead before. */
const MOST_BATCHES = 1000;
const YIELD_EVERY = 200;
/** Between two notes in the log of what the key store has, at least. */
const NOTE_MS = 1000;

/** Somebody else has the lease, or has added to the log. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** The log under a lease. After any error it is opened anew. */
export class HeldLog {
  readonly #parts: LogParts;
  readonly #lease: Lease;
  readonly #appender: LogAppender;
  readonly #streams = new StreamNumbers();
  /** Streams that have ended in the log, and whose rows may still be in their stores; and those that are gone there. */
  #ended: LogStream[] = [];
  #gone: readonly LogStream[] = [];
  #mayRepeat: boolean;
  #published: { readonly size: number; readonly note: string | null; readonly noted: number } = {
    size: -1,
    note: null,
    noted: 0,
  };
  #notedAt = Number.NEGATIVE_INFINITY;

  private constructor(parts: LogParts, lease: Lease, appender: LogAppender, left: LogState | null) {
    const { history, size } = appender.state;
    this.#mayRepeat = left?.size !== size || left.history !== history;
    this.#parts = parts;
    this.#lease = lease;
    this.#appender = appender;
  }

  /**
   * @param left how this process left the log, with nothing that waited: where it still is so, nothing that waits is in
   *   it already. Null: it did not
   * @throws VaultError `store-rolled-back`, the log's
   */
  static async open(parts: LogParts, lease: Lease, left: LogState | null = null): Promise<HeldLog> {
    const { log, keys, signer } = parts;
    const held = new HeldLog(parts, lease, await LogAppender.open({ log, vault: keys.vault, signer }), left);
    for (const outbox of OUTBOXES)
      for await (const page of logStreams(log, outbox)) for (const stream of page) held.#know(stream);
    // What is gone is noted with what is added first.
    await held.#closeEnded();
    return held;
  }

  get appender(): LogAppender {
    return this.#appender;
  }

  get streams(): StreamNumbers {
    return this.#streams;
  }

  /** Carries one batch. @returns whether more may wait. @throws Overtaken */
  async carry(): Promise<boolean> {
    const { outboxes, log, clock } = this.#parts;
    const taken = await Promise.all(OUTBOXES.map(async (name) => ({ name, rows: await outboxes[name].take(BATCH) })));
    const more = taken.some(({ rows }) => !isAll(rows, BATCH));
    const waiting: Examined[] = [];
    for (const { name, rows } of taken) await this.#examine(name, rows, waiting);
    if (waiting.length > 0) {
      const { size } = this.#appender.state;
      const { adopted } = this.#appender.state;
      const base = { log, outboxes, streams: this.#streams, size, adopted, mayRepeat: this.#mayRepeat, now: clock() };
      const { entries, alarms } = await planBatch(base, waiting);
      await this.add(entries);
      for (const alarm of alarms) this.#parts.alarms.raise(alarm);
      for (const { name, rows } of taken)
        if (rows.length > 0) await outboxes[name].drop(rows.map(({ position }) => position));
    }
    if (!more) this.#mayRepeat = false;
    await this.#closeEnded();
    return more;
  }

  /** A store that took over has not dropped yet what is in the log already. */
  expectRepeats(): void {
    this.#mayRepeat = true;
  }

  /** Adds entries, where there are any. @throws Overtaken */
  async add(entries: NewEntries): Promise<void> {
    const { placed, streams, adopted, begins } = entries;
    const says = adopted !== undefined && adopted !== this.#appender.state.adopted;
    if (placed.length === 0 && streams.length === 0 && !says) return;
    const further = new Set(streams.map(({ outbox, stream }) => `${outbox}/${stream}`));
    const closed = begins === true ? [] : this.#gone.filter((one) => !further.has(`${one.outbox}/${one.stream}`));
    const outcome = await this.#appender.append({ ...entries, closed }, this.#lease);
    if (outcome === "overtaken") throw new Overtaken("the log was added to by another process");
    for (const stream of closed) this.#streams.delete(stream);
    this.#gone = [];
    for (const stream of streams) this.#know(stream);
  }

  /** Adds entries of the log's own, and what follows from them. @throws Overtaken */
  async addOwn(own: readonly OwnEntry[], more: Partial<NewEntries> = {}): Promise<void> {
    const { size } = this.#appender.state;
    const now = this.#parts.clock();
    const placed = own.map((entry, index) => placeOwn(entry, size + index, now));
    const derived = new Derived();
    for (const { entry } of placed) derived.apply(entry);
    await this.add({ placed, ...derived.all, streams: [], closed: [], ...more });
  }

  /** Tells of what was taken away from the ends of streams, and closes those that nobody uses any more. */
  async careForStreams(): Promise<void> {
    const { outboxes, clock, alarms } = this.#parts;
    const { ahead, idle } = await lookAtStreams(outboxes, this.#streams, clock());
    if (ahead.length > 0) {
      for (let batches = 0; await this.carry(); batches++) if (batches === MOST_BATCHES) return;
      const gaps = takenAway(ahead, this.#streams);
      const streams = gaps.map(({ outbox, stream, to }) => ({ outbox, stream, number: to, ended: false }));
      await this.addOwn(gaps.map(gapEntry), { streams });
      for (const gap of gaps) alarms.raise(gapAlarm(gap));
    }
    const unused = idle.filter(({ outbox, stream, number }) => this.#streams.get(outbox, stream)?.number === number);
    if (unused.length > 0) await this.addOwn([closingEntry(unused)], { streams: unused });
  }

  /** Tells the key store and the witnesses how far the log is. @throws VaultError `store-rolled-back` */
  async publish(): Promise<void> {
    const { log, checkpoint, key, witnesses } = this.#parts;
    const { history, size, checkpoint: note } = this.#appender.state;
    if (history === null || note === null || size === this.#published.size) return;
    const head = { origin: originOf(key.vault, history), size, root: this.#appender.root };
    const witnessed = witnessedLog(log, { note, checkpoint: head }, key);
    if (!(await publishToKeys(checkpoint, witnessed, this.#published.note))) return;
    this.#published = { ...this.#published, size, note };
    this.#appender.published(size);
    witnesses.publish(witnessed);
  }

  /** Notes in the log what the key store has: now, or when it was not for a while. */
  async notePublished(when: "now" | "sometimes"): Promise<void> {
    const { size, noted } = this.#published;
    const now = this.#parts.clock().getTime();
    if (size <= noted || (when === "sometimes" && Math.abs(now - this.#notedAt) < NOTE_MS)) return;
    await this.#parts.log.published(size);
    this.#published = { ...this.#published, noted: size };
    this.#notedAt = now;
  }

  async #closeEnded(): Promise<void> {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    const gone = await closeEnded(this.#parts.outboxes, ended);
    this.#gone = [...this.#gone, ...gone];
  }

  #know(stream: LogStream): void {
    this.#streams.set(stream);
    if (stream.ended) this.#ended.push(stream);
  }

  /** Others have the thread in between: a full batch takes some ten milliseconds. */
  async #examine(outbox: OutboxName, rows: readonly WaitingEntry[], into: Examined[]): Promise<void> {
    for (const [index, row] of rows.entries()) {
      into.push(examine(this.#parts.keys, outbox, row));
      if (index % YIELD_EVERY === YIELD_EVERY - 1) await setImmediate();
    }
  }
}
