/**
 * One batch of the sequencer: what of that which waits goes into the log, in which order, what is told beside it, and
 * what is dropped. Nothing is written here.
 *
 * Each entry says its number in its stream and the entry before it of its address, under the vault's key. So whoever
 * takes one away leaves a hole, and whoever changes one leaves what is no entry: both are told by name, in the log.
 */
import type { AddressHead, AuditLog, LogStream, OutboxName } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { AddressTag, EntryId, Outbox, StreamId } from "../stores/outbox.ts";
import { Derived, isChange, tagsOf } from "./derived.ts";
import type { EntryText } from "./entry.ts";
import type { NewEntries } from "./log-appender.ts";
import { placeOwn } from "./log-entries.ts";
import type { OwnEntry, PlacedEntry } from "./log-entries.ts";
import { givenUpAt } from "./own-checkpoints.ts";
import { lanesIn, wasClosed } from "./told-streams.ts";
import { alteredDetails, claimedPlace, inOrder } from "./waiting-entries.ts";
import type { Alteration, Examined } from "./waiting-entries.ts";

/** Something that was found, for whoever watches the vault. */
export interface Alarm {
  readonly code: "gap" | "altered" | "store-rolled-back" | "accept-restore";
  readonly message: string;
}

/** What the batch stands on. */
export interface BatchBase {
  readonly log: Pick<AuditLog, "find" | "latest" | "positions">;
  readonly outboxes: Readonly<Record<OutboxName, Pick<Outbox, "streams">>>;
  readonly streams: StreamNumbers;
  readonly size: number;
  readonly adopted: boolean;
  /** Whether entries may wait that are in the log already: a sequencer ended between adding and dropping them. */
  readonly mayRepeat: boolean;
  readonly now: Date;
}

/** Everything that follows from a batch. */
export interface PlannedBatch {
  readonly entries: NewEntries;
  readonly alarms: readonly Alarm[];
  /** Whether some of what waited was in the log already. */
  readonly repeated: boolean;
}

/** How far the log is in each stream. */
export class StreamNumbers {
  readonly #known = new Map<string, LogStream>();

  get(outbox: OutboxName, stream: StreamId): LogStream | undefined {
    return this.#known.get(`${outbox}/${stream}`);
  }

  set(stream: LogStream): void {
    this.#known.set(`${stream.outbox}/${stream.stream}`, stream);
  }

  delete({ outbox, stream }: Pick<LogStream, "outbox" | "stream">): void {
    this.#known.delete(`${outbox}/${stream}`);
  }

  all(): Iterable<LogStream> {
    return this.#known.values();
  }
}

/** Plans what becomes of entries that wait. */
export async function planBatch(base: BatchBase, waiting: readonly Examined[]): Promise<PlannedBatch> {
  const ordered = inOrder(waiting);
  const plan = new Batch(base, await inLog(base, ordered), await headsOf(base, ordered));
  for (const one of ordered) await plan.add(one);
  return plan.planned;
}

/** Which of those that may be in the log already are. */
async function inLog({ log, streams, mayRepeat }: BatchBase, waiting: readonly Examined[]): Promise<Set<EntryId>> {
  const asked: EntryId[] = [];
  for (const { outbox, entry } of waiting) {
    if (entry === null) continue;
    const known = streams.get(outbox, entry.stream);
    if (mayRepeat || known === undefined || entry.number <= known.number) asked.push(entry.id);
  }
  if (asked.length === 0) return new Set();
  const positions = await log.positions(asked);
  return new Set(asked.filter((_, index) => positions[index] !== null));
}

async function headsOf(
  { log }: BatchBase,
  waiting: readonly Examined[],
): Promise<ReadonlyMap<AddressTag, AddressHead | null>> {
  const tags = [...new Set(waiting.flatMap(({ entry }) => (entry === null ? [] : tagsOf(entry))))];
  if (tags.length === 0) return new Map();
  const latest = await log.latest(tags.map((tag) => ({ tag, message: null })));
  return new Map(tags.map((tag, index) => [tag, latest[index]?.head ?? null]));
}

class Batch {
  readonly #base: BatchBase;
  readonly #inLog: ReadonlySet<EntryId>;
  readonly #heads: ReadonlyMap<AddressTag, AddressHead | null>;
  readonly #placed: PlacedEntry[] = [];
  readonly #own = new Set<EntryId>();
  readonly #derived = new Derived();
  readonly #streams = new Map<string, LogStream>();
  readonly #alarms: Alarm[] = [];
  #repeated = false;

  constructor(base: BatchBase, known: ReadonlySet<EntryId>, heads: ReadonlyMap<AddressTag, AddressHead | null>) {
    this.#base = base;
    this.#inLog = known;
    this.#heads = heads;
  }

  get planned(): PlannedBatch {
    const entries = {
      placed: this.#placed,
      ...this.#derived.all,
      streams: [...this.#streams.values()],
      closed: [],
    };
    return { entries, alarms: this.#alarms, repeated: this.#repeated };
  }

  async add(one: Examined): Promise<void> {
    const { outbox, entry, altered } = one;
    if (altered !== null) this.#tellAltered(one, altered);
    if (entry === null) return this.#standIn(one);
    if (this.#inLog.has(entry.id) || this.#own.has(entry.id)) return this.#again(one, entry);
    const last = this.#last(outbox, entry.stream);
    if (entry.number <= last) {
      if (altered === null) this.#tellAltered(one, "number");
      return;
    }
    if (entry.number > last + 1) this.#tellGap({ outbox, stream: entry.stream, from: last + 1, to: entry.number - 1 });
    await this.#requirePrevious(one, entry);
    this.#placed.push({ entry, text: one.row.text });
    this.#own.add(entry.id);
    this.#derived.apply(entry);
    this.#advance({ outbox, stream: entry.stream, number: entry.number, ended: entry.ends === true });
    await this.#requireLanes(one, entry);
  }

  /** An entry that is in the log already: left there by a sequencer that ended, or put there by somebody. */
  async #again(one: Examined, { id, stream, number, ends }: EntryText): Promise<void> {
    this.#repeated = true;
    const { outbox, altered } = one;
    const isNext = await this.#isNext(outbox, { stream, number });
    if (isNext) this.#advance({ outbox, stream, number, ended: ends === true });
    const isHonest = this.#base.mayRepeat && !isNext && !this.#own.has(id);
    if (!isHonest && altered === null) this.#tellAltered(one, "copy");
  }

  /** What an altered row stands in for, where it claims to be the next of its stream: it is told already. */
  async #standIn(one: Examined): Promise<void> {
    const claimed = claimedPlace(one);
    if (claimed !== null && (await this.#isNext(one.outbox, claimed)))
      this.#advance({ outbox: one.outbox, ...claimed, ended: false });
  }

  /** Whether a number is the next of a stream that there is. */
  async #isNext(outbox: OutboxName, { stream, number }: Pick<EntryText, "stream" | "number">): Promise<boolean> {
    if (number !== this.#last(outbox, stream) + 1) return false;
    if (this.#of(outbox, stream) !== undefined) return true;
    const [row = null] = await this.#base.outboxes[outbox].streams([stream]);
    return row !== null && row.last >= number;
  }

  /** That the entry goes on from the newest of its address. It is a part of the log in any case. */
  async #requirePrevious({ outbox }: Examined, entry: EntryText): Promise<void> {
    if ((entry.action !== "write" && entry.action !== "remove") || !isChange(entry)) return;
    const [first] = entry.records ?? [];
    if (first === undefined) return;
    const tag = first.tag as AddressTag;
    const head = this.#derived.head(tag) ?? this.#heads.get(tag) ?? null;
    const previous = (first.previous ?? null) as EntryId | null;
    const found = head?.entry ?? null;
    if (head === null && !this.#base.adopted) return;
    if (previous === found || entry.id === found) return;
    // A tombstone of before a restore that was accepted is not adopted: it is in no list.
    if (head === null && previous !== null && (await this.#isOfBefore(previous))) return;
    const { stream, number } = entry;
    const where = { outbox, stream, number, entry: entry.id };
    if (previous === null || (await this.#isKnown(previous))) {
      const message = `number ${number} of stream ${stream} builds on a state of its record that was not the newest`;
      const details = { ...where, what: "previous", previous, found };
      this.#tell({ action: "altered", details }, { code: "altered", message });
    } else {
      const message = `entry ${previous}, on which number ${number} of stream ${stream} builds, is missing`;
      this.#tell({ action: "gap", details: { ...where, missing: previous } }, { code: "gap", message });
    }
  }

  /**
   * That what a process says it has written when it closes is in the log: whoever takes a stream away as a whole leaves
   * no hole. All of it comes before the entry that says so.
   */
  async #requireLanes({ outbox }: Examined, { id, action, stream: own, details }: EntryText): Promise<void> {
    if (action !== "close" || own !== STORE_STREAM) return;
    for (const { stream, number: to } of lanesIn(details)) {
      const from = this.#last(outbox, stream) + 1;
      if (from > to) continue;
      const [row = null] = await this.#base.outboxes[outbox].streams([stream]);
      // Where the store has the number, it is told as a hole of its stream.
      if ((row?.last ?? 0) >= to || (await wasClosed(this.#base.log, stream))) continue;
      const gap = { outbox, stream, from, to };
      this.#tell({ action: "gap", details: { ...gap, said: id } }, gapAlarm(gap));
    }
  }

  /** Whether an entry is from before the newest restore that was accepted. */
  async #isOfBefore(id: EntryId): Promise<boolean> {
    const { log } = this.#base;
    const [position = null] = await log.positions([id]);
    return position !== null && position < (await givenUpAt(log));
  }

  async #isKnown(id: EntryId): Promise<boolean> {
    if (this.#own.has(id)) return true;
    const [position = null] = await this.#base.log.positions([id]);
    return position !== null;
  }

  #tellGap(gap: Gap): void {
    this.#tell(gapEntry(gap), gapAlarm(gap));
  }

  #tellAltered(one: Examined, what: Alteration): void {
    const details = alteredDetails({ ...one, altered: what });
    this.#tell(
      { action: "altered", details },
      {
        code: "altered",
        message: `number ${details["number"]} of stream ${details["stream"]} in the ${one.outbox} outbox was ${SAID[what]}`,
      },
    );
  }

  #tell(own: OwnEntry, alarm: Alarm): void {
    const { size, now } = this.#base;
    this.#placed.push(placeOwn(own, size + this.#placed.length, now));
    this.#alarms.push(alarm);
  }

  #of(outbox: OutboxName, stream: StreamId): LogStream | undefined {
    return this.#streams.get(`${outbox}/${stream}`) ?? this.#base.streams.get(outbox, stream);
  }

  #last(outbox: OutboxName, stream: StreamId): number {
    return this.#of(outbox, stream)?.number ?? 0;
  }

  #advance(stream: LogStream): void {
    this.#streams.set(`${stream.outbox}/${stream.stream}`, stream);
  }
}

const SAID: Readonly<Record<Alteration, string>> = {
  text: "altered",
  columns: "altered in what stands beside its text",
  copy: "put there again",
  number: "used for two entries",
};

/** Numbers of a stream that are not there. */
export interface Gap {
  readonly outbox: OutboxName;
  readonly stream: StreamId;
  readonly from: number;
  readonly to: number;
}

export const gapEntry = ({ outbox, stream, from, to }: Gap): OwnEntry => ({
  action: "gap",
  details: { outbox, stream, from, to },
});

export const gapAlarm = ({ outbox, stream, from, to }: Gap): Alarm => ({
  code: "gap",
  message: `number${from === to ? ` ${from}` : `s ${from} to ${to}`} of stream ${stream} in the ${outbox} outbox: gone`,
});
