/**
 * What the log has derived from its entries, computed from them once more: the newest state of each address, the
 * messages that are known, who is in which entry, how far each stream is. Held against the log's tables it shows what
 * somebody changed there, put there or took away.
 */
import { Derived } from "./derived.ts";
import type { AddressHead, AuditLog, LogStream } from "../stores/audit-log.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { StreamId } from "../stores/outbox.ts";
import { logStreams } from "./compare-stores.ts";
import type { EntryText } from "./entry.ts";
import { begins, keysIn, LOG_STREAM } from "./log-entries.ts";
import { OUTBOXES } from "./stream-care.ts";
import { lanesIn } from "./told-streams.ts";

const PAGE = 500;

/** Adds a problem. */
type Report = (message: string) => void;

/** How far a stream can be: an altered entry may have stood in for its number. */
interface Reached {
  least: number;
  most: number;
  ended: boolean;
}

/** The tables, as they follow from entries. */
export class VerifiedTables {
  subtrees = 0;
  #derived = new Derived();
  #people = 0;
  #streams = new Map<string, Reached>();
  /** What processes said that they wrote, and the log does not have. */
  readonly #said = new Map<string, number>();
  /** Streams that were there when the history began are taken as they are. */
  #hasBegun = false;

  /** The next entry. */
  take(entry: EntryText): void {
    this.#people += keysIn(entry).length;
    if (entry.stream !== LOG_STREAM) {
      this.#reach(streamKey(entry), entry.number, entry.ends === true);
    } else if (entry.action === "accept-restore" && begins(entry)) {
      this.#derived = new Derived();
      this.#streams = new Map();
      this.#hasBegun = true;
    } else {
      this.#own(entry);
    }
    if (entry.action === "close" && entry.stream === STORE_STREAM) this.#lanes(entry);
    this.#derived.apply(entry);
  }

  /** What a process said that it had written when it closed. */
  #lanes({ details }: EntryText): void {
    for (const { stream, number } of lanesIn(details)) {
      const reached = this.#streams.get(stream);
      if (reached === undefined ? !this.#hasBegun : reached.most < number) this.#said.set(stream, number);
    }
  }

  #own({ action, details = {} }: EntryText): void {
    const { outbox, stream, number, to } = details;
    const key = stream === STORE_STREAM ? `${String(outbox)}/${stream}` : String(stream);
    // What a process said that it wrote, and nobody has: no number of its stream is passed over by that.
    if (details["said"] !== undefined) return void this.#said.delete(String(stream));
    if (action === "gap" && typeof to === "number") this.#reach(key, to, false);
    if (action === "altered" && typeof number === "number") {
      const reached = this.#streams.get(key) ?? { least: 0, most: 0, ended: false };
      if (number === reached.most + 1) this.#streams.set(key, { ...reached, most: number });
    }
    // They are where the store has them from then on.
    if (action === "accept-restore") {
      this.#hasBegun = true;
      for (const lost of String(details["lost"] ?? "").split(" ")) this.#streams.delete(lostKey(lost));
    }
    if (action === "streams-closed")
      for (const closed of OUTBOXES.flatMap((name) => String(details[name] ?? "").split(" "))) {
        const [id = "", last = ""] = closed.split(":");
        if (id !== "") this.#reach(id, Number(last), true);
      }
  }

  #reach(key: string, number: number, ended: boolean): void {
    this.#streams.set(key, { least: number, most: number, ended });
  }

  /** What of the log's tables is not as these, of a log of `size` entries. */
  async problems(log: AuditLog, size: number, forgotten: number): Promise<readonly string[]> {
    const problems: string[] = [];
    const report: Report = (message) => void problems.push(message);
    await this.#compare(log, { size, forgotten }, report);
    return problems;
  }

  async #compare(
    log: AuditLog,
    { size, forgotten }: { readonly size: number; readonly forgotten: number },
    report: Report,
  ): Promise<void> {
    const counts = await log.counts();
    const { heads, messages } = this.#derived.all;
    const said = { entries: size, subtrees: this.subtrees, heads: heads.length, messages: messages.length };
    for (const [table, count] of Object.entries({ ...said, people: this.#people })) {
      const found = counts[table as keyof typeof counts];
      // What was forgotten says no more what followed from it.
      if (found !== count && (forgotten === 0 || table === "entries" || table === "subtrees"))
        report(`the log has ${found} ${table}, and its entries come to ${count}`);
    }
    await compareHeads(log, heads, report);
    for (let at = 0; at < messages.length; at += PAGE) {
      const asked = messages.slice(at, at + PAGE);
      const known = await log.latest(asked.map(({ tag, version, sha256 }) => ({ tag, message: { version, sha256 } })));
      const missing = asked.filter((_, index) => known[index]?.isKnown !== true).length;
      if (missing > 0) report(`${missing} messages of records are not known any more`);
    }
    await this.#compareStreams(log, report);
    if (forgotten === 0)
      for (const [stream, number] of this.#said)
        report(`the log does not have number ${number} of stream ${stream}, which its process wrote`);
  }

  async #compareStreams(log: AuditLog, report: Report): Promise<void> {
    const left = new Map(this.#streams);
    for (const outbox of OUTBOXES)
      for await (const page of logStreams(log, outbox))
        for (const stream of page) {
          const key = streamKey({ stream: stream.stream, details: { store: outbox } });
          if (!isReached(stream, left.get(key), this.#hasBegun))
            report(`stream ${stream.stream} of the ${outbox} outbox is not at ${stream.number}`);
          left.delete(key);
        }
    for (const [key, { ended }] of left) if (!ended) report(`stream ${key} is gone`);
  }
}

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

function isReached({ number, ended }: LogStream, reached: Reached | undefined, hasBegun: boolean): boolean {
  if (reached === undefined) return hasBegun;
  return number >= reached.least && number <= reached.most && (ended || !reached.ended);
}

async function compareHeads(
  log: AuditLog,
  heads: readonly (AddressHead & { readonly tag: LogHead["tag"] })[],
  report: Report,
): Promise<void> {
  for (let at = 0; at < heads.length; at += PAGE) {
    const asked = heads.slice(at, at + PAGE);
    const known = await log.latest(asked.map(({ tag }) => ({ tag, message: null })));
    for (const [index, { version, state, entry }] of asked.entries()) {
      const head = known[index]?.head ?? null;
      if (head?.version !== version || head.state !== state || head.entry !== entry)
        report(`the newest state of an address, of entry ${entry ?? "none"}, is not what the log has`);
    }
  }
}

type LogHead = Awaited<ReturnType<AuditLog["heads"]>>[number];
