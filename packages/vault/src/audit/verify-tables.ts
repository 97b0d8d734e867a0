/**
 * What the log has derived from its entries, computed from them once more: the newest state of each address, the
 * messages that are known, who is in which entry, how far each stream is. Held against the log's tables it shows what
 * somebody changed there, put there or took away.
 */
import type { AuditLog, KnownMessage, LogCounts, LogStream } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { AddressTag, EntryId, StreamId } from "../stores/outbox.ts";
import { logStreams } from "./compare-stores.ts";
import { Derived, isChange, setsHead } from "./derived.ts";
import type { EntryText } from "./entry.ts";
import { begins, keysIn, LOG_STREAM } from "./log-entries.ts";
import { OUTBOXES } from "./stream-care.ts";
import { lanesIn } from "./told-streams.ts";
import { compareHeads, compareMessages, compareOtherHeads } from "./verify-addresses.ts";
import type { Report } from "./verify-addresses.ts";
import type { VerifiedTexts } from "./verify-texts.ts";

const PAGE = 500;

/** How far a stream can be: an altered entry may have stood in for its number. */
interface Reached {
  least: number;
  most: number;
  ended: boolean;
  /** Where the log says so last. */
  position: number;
}

/** What is known of texts that are gone: what they said explains rows that no other entry does. */
export type GoneTexts = Pick<VerifiedTexts, "forgotten" | "isAnnounced">;

/** The tables, as they follow from entries. */
export class VerifiedTables {
  subtrees = 0;
  #derived = new Derived();
  /** Where the newest state of an address was set, as far as entries with a text say. */
  #heads = new Map<AddressTag, number>();
  /** Entries that go on from one that is not the one before: with what was known until then. */
  #leaps: { readonly previous: EntryId; readonly messages: readonly KnownMessage[] }[] = [];
  #people = 0;
  #streams = new Map<string, Reached>();
  /** What processes said that they wrote, and the log does not have. */
  readonly #said = new Map<string, number>();
  /** Streams that were there when the history began are taken as they are. */
  #hasBegun = false;
  /** Where the history began: nothing of before explains what is known of addresses. */
  #from = 0;

  /** The next entry. */
  take(entry: EntryText, position: number): void {
    this.#people += keysIn(entry).length;
    if (entry.stream !== LOG_STREAM) {
      this.#reach(streamKey(entry), { number: entry.number, ended: entry.ends === true, position });
    } else if (entry.action === "accept-restore" && begins(entry)) {
      this.#derived = new Derived();
      this.#heads = new Map();
      this.#leaps = [];
      this.#streams = new Map();
      this.#hasBegun = true;
      this.#from = position;
    } else {
      this.#own(entry, position);
    }
    if (entry.action === "close" && entry.stream === STORE_STREAM) this.#lanes(entry);
    if (isChange(entry)) this.#change(entry, position);
    this.#derived.apply(entry);
  }

  #change({ action, records = [] }: EntryText, position: number): void {
    const seen = new Set<AddressTag>();
    for (const record of records) {
      const tag = record.tag as AddressTag;
      if (!setsHead({ action }, record)) continue;
      this.#heads.set(tag, position);
      // Between it and what is known there was another entry, if its text is gone a removal perhaps.
      const { previous } = record;
      if (seen.has(tag) || typeof previous !== "string" || previous === this.#derived.head(tag)?.entry) continue;
      seen.add(tag);
      const messages = this.#derived.messages(tag);
      if (messages.length > 0) this.#leaps.push({ previous: previous as EntryId, messages });
    }
  }

  /** What a process said that it had written when it closed. */
  #lanes({ details }: EntryText): void {
    for (const { stream, number } of lanesIn(details)) {
      const reached = this.#streams.get(stream);
      if (reached === undefined ? !this.#hasBegun : reached.most < number) this.#said.set(stream, number);
    }
  }

  #own({ action, details = {} }: EntryText, position: number): void {
    const { outbox, stream, number, to } = details;
    const key = stream === STORE_STREAM ? `${String(outbox)}/${stream}` : String(stream);
    // What a process said that it wrote, and nobody has: no number of its stream is passed over by that.
    if (details["said"] !== undefined) return void this.#said.delete(String(stream));
    if (action === "gap" && typeof to === "number") this.#reach(key, { number: to, ended: false, position });
    if (action === "altered" && typeof number === "number") {
      const reached = this.#streams.get(key) ?? { least: 0, most: 0, ended: false, position };
      if (number === reached.most + 1) this.#streams.set(key, { ...reached, most: number, position });
    }
    // They are where the store has them from then on.
    if (action === "accept-restore") {
      this.#hasBegun = true;
      for (const lost of String(details["lost"] ?? "").split(" ")) this.#streams.delete(lostKey(lost));
    }
    if (action === "streams-closed")
      for (const closed of OUTBOXES.flatMap((name) => String(details[name] ?? "").split(" "))) {
        const [id = "", last = ""] = closed.split(":");
        if (id !== "") this.#reach(id, { number: Number(last), ended: true, position });
      }
  }

  #reach(
    key: string,
    { number, ended, position }: Omit<Reached, "least" | "most"> & { readonly number: number },
  ): void {
    this.#streams.set(key, { least: number, most: number, ended, position });
  }

  /** What of the log's tables is not as these, of a log of `size` entries. */
  async problems(log: AuditLog, size: number, gone: GoneTexts): Promise<readonly string[]> {
    const problems: string[] = [];
    const report: Report = (message) => void problems.push(message);
    const counts = await log.counts();
    for (const [table, count] of [
      ["entries", size],
      ["subtrees", this.subtrees],
      ["people", this.#people],
    ] as const) {
      const found = counts[table];
      // Whom an entry was about goes with its text, and that may be this moment.
      if (found > count || (found < count && (table !== "people" || !gone.isAnnounced)))
        report(`the log has ${found} ${table}, and its entries come to ${count}`);
    }
    await this.#compareAddresses(log, counts, gone, report);
    await this.#compareStreams(log, gone, report);
    // What was forgotten says no more of which stream it was.
    if (gone.forgotten.ranges.length === 0)
      for (const [stream, number] of this.#said)
        report(`the log does not have number ${number} of stream ${stream}, which its process wrote`);
    return problems;
  }

  /** Heads and messages. */
  async #compareAddresses(log: AuditLog, counts: LogCounts, gone: GoneTexts, report: Report): Promise<void> {
    const { heads, messages } = this.#derived.all;
    const places = { gone, from: this.#from, said: this.#heads };
    const later = await compareHeads(log, heads, places, report);
    const isWhole = gone.forgotten.ranges.length === 0;
    if (!isWhole && counts.heads > heads.length) await compareOtherHeads(log, counts.heads, places, report);
    else if (counts.heads !== heads.length)
      report(`the log has ${counts.heads} heads, and its entries come to ${heads.length}`);
    // Where a forgotten entry came later, it alone says what is known.
    const leapt = await this.#leaptOver(log, gone);
    const known = messages.filter((message) => !later.has(message.tag) && !leapt.has(nameOf(message)));
    await compareMessages(log, known, report);
    if (isWhole ? counts.messages !== known.length : counts.messages < known.length)
      report(`the log has ${counts.messages} messages, and its entries come to ${known.length}`);
  }

  /** Messages that a forgotten entry may have ended: one of a removal does. */
  async #leaptOver(log: AuditLog, { forgotten }: GoneTexts): Promise<ReadonlySet<string>> {
    const over = new Set<string>();
    if (forgotten.ranges.length === 0) return over;
    for (let at = 0; at < this.#leaps.length; at += PAGE) {
      const some = this.#leaps.slice(at, at + PAGE);
      const positions = await log.positions(some.map(({ previous }) => previous));
      for (const [index, { messages }] of some.entries())
        if (forgotten.has(positions[index] ?? -1)) for (const message of messages) over.add(nameOf(message));
    }
    return over;
  }

  async #compareStreams(log: AuditLog, { forgotten }: GoneTexts, report: Report): Promise<void> {
    const left = new Map(this.#streams);
    const isBehind = (position: number): boolean => forgotten.hasWithin({ from: position, to: Infinity });
    for (const outbox of OUTBOXES)
      for await (const page of logStreams(log, outbox))
        for (const stream of page) {
          const key = streamKey({ stream: stream.stream, details: { store: outbox } });
          const reached = left.get(key);
          const may = reached === undefined ? this.#hasBegun || isBehind(this.#from) : isReached(stream, reached);
          const isLater = reached !== undefined && stream.number > reached.most && isBehind(reached.position);
          if (!may && !isLater) report(`stream ${stream.stream} of the ${outbox} outbox is not at ${stream.number}`);
          left.delete(key);
        }
    for (const [key, { ended, position }] of left) if (!ended && !isBehind(position)) report(`stream ${key} is gone`);
  }
}

const nameOf = ({ tag, version, sha256 }: KnownMessage): string =>
  `${tag}/${version}/${Buffer.from(sha256).toString("base64url")}`;

/** A stream as an accepted restore names it: `outbox/stream:from-to`. */
function lostKey(lost: string): string {
  const [where = ""] = lost.split(":");
  const [outbox, stream = ""] = where.split("/");
  return streamKey({ stream: stream as StreamId, details: { store: outbox ?? "" } });
}

/** A store's own stream has the same id in both outboxes: its entries say of which they are. */
function streamKey({ stream, details }: Pick<EntryText, "stream" | "details">): string {
  return stream === STORE_STREAM ? `${String(details?.["store"])}/${stream}` : stream;
}

const isReached = ({ number, ended }: LogStream, reached: Reached): boolean =>
  number >= reached.least && number <= reached.most && (ended || !reached.ended);
