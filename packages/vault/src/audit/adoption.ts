/**
 * Adoption: records that were there before the audit get an entry each, with their newest state and the SHA-256 of each
 * of their messages, so that from then on they are held to it as what was written since. It goes on in the background
 * while others write: what an address has waiting is carried to the log first, and what the log knows is left alone.
 */
import type { Address, Collection, RecordId } from "../records/address.ts";
import type { AuditLog, LatestQuery } from "../stores/audit-log.ts";
import type { Outbox } from "../stores/outbox.ts";
import type { RecordStore } from "../stores/store.ts";
import type { RecordVersions } from "../stores/rows.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { EntryRecord } from "./entry.ts";
import { ENTRY_LIMITS } from "./entry-text.ts";
import type { HeldLog } from "./held-log.ts";
import type { OwnEntry } from "./log-entries.ts";
import { storedMessages } from "./stored-messages.ts";
import type { StoredMessages } from "./stored-messages.ts";

/** What is adopted from, and to. */
export interface AdoptionParts {
  readonly records: RecordStore;
  readonly outbox: Pick<Outbox, "pending">;
  readonly log: Pick<AuditLog, "latest">;
  readonly keys: Pick<AuditKeys, "tag">;
}

/** Records that one step looks at. */
const PAGE = 50;

/** How far it is: the cursor of the sequencer's lease. */
interface Position {
  readonly collection: string | null;
  /** Base64: of the list's position. */
  readonly after: string | null;
  readonly records: number;
  readonly versions: number;
  /** Whose rows do not fit together: they are refused as they were before. */
  readonly damaged: number;
}

const START: Position = { collection: null, after: null, records: 0, versions: 0, damaged: 0 };

/** A record as it was read. */
interface FoundRecord extends StoredMessages {
  readonly address: Address;
  readonly tag: LatestQuery["tag"];
}

/** Adopts, a few records with each step. */
export class Adoption {
  readonly #parts: AdoptionParts;
  #position: Position;
  #collections: readonly string[] | null = null;
  /** Of which something waited. */
  #later: readonly Address[] = [];

  /** @param cursor of an adoption before this one; null, or what is none: from the beginning */
  constructor(parts: AdoptionParts, cursor: string | null) {
    this.#parts = parts;
    this.#position = readCursor(cursor);
  }

  /** How far it is for certain. What waits is looked at again. */
  get cursor(): string | null {
    return this.#later.length > 0 || this.#isUnderWay ? this.#cursorBefore : JSON.stringify(this.#position);
  }

  #cursorBefore: string | null = null;
  #isUnderWay = false;

  /**
   * Adopts some more; the last step says that all is adopted. After an error another one goes on from the cursor.
   *
   * @param between is called again and again while a step goes on: a record may have very many versions
   * @returns whether it came further
   */
  async step(held: HeldLog, between: () => Promise<void>): Promise<boolean> {
    if (this.#later.length === 0) this.#cursorBefore = JSON.stringify(this.#position);
    this.#isUnderWay = true;
    const cameFurther = await this.#step(held, between);
    this.#isUnderWay = false;
    return cameFurther;
  }

  async #step(held: HeldLog, between: () => Promise<void>): Promise<boolean> {
    if (this.#later.length > 0) return this.#adopt(held, this.#later, between);
    const page = await this.#page();
    if (page !== null) return this.#adopt(held, page, between);
    const { records, versions, damaged } = this.#position;
    await held.addOwn([{ action: "adopted", details: { records, versions, damaged } }], { adopted: true });
    return true;
  }

  /** The next addresses; null: there are no more. */
  async #page(): Promise<readonly Address[] | null> {
    const { records } = this.#parts;
    this.#collections ??= (await records.collections())
      .map(({ name }) => name)
      .filter(isCollection)
      .sort();
    for (;;) {
      const { collection, after } = this.#position;
      const next = after === null ? this.#nextCollection(collection) : collection;
      if (next === null) return null;
      const place = { after: after === null ? null : Buffer.from(after, "base64"), limit: PAGE };
      const listed = (await records.list(next as Collection, place)) ?? [];
      const last = listed.at(-1);
      const goesOn = last !== undefined && listed.length === PAGE;
      const behind = goesOn ? Buffer.from(last.position).toString("base64") : null;
      this.#position = { ...this.#position, collection: next, after: behind };
      if (last !== undefined)
        return listed.filter(isNamed).map(({ id }) => ({ collection: next as Collection, id: id as RecordId }));
    }
  }

  #nextCollection(collection: string | null): string | null {
    return this.#collections?.find((name) => collection === null || name > collection) ?? null;
  }

  async #adopt(held: HeldLog, addresses: readonly Address[], between: () => Promise<void>): Promise<boolean> {
    const { outbox, keys } = this.#parts;
    const found: FoundRecord[] = [];
    for (const address of addresses)
      found.push({ address, tag: keys.tag(address), ...(await storedMessages(this.#parts.records, address, between)) });
    // After they were read: what was written since waits, or builds on what was read.
    const waiting = new Set((await outbox.pending(found.map(({ tag }) => tag))).map(({ tag }) => tag));
    const settled = found.filter(({ tag }) => !waiting.has(tag));
    const entries = await this.#entriesOf(settled);
    if (entries.length > 0) await held.addOwn(entries);
    this.#later = found.filter(({ tag }) => waiting.has(tag)).map(({ address }) => address);
    return settled.length > 0 || this.#later.length === 0;
  }

  /** What the log does not know of them yet. */
  async #entriesOf(found: readonly FoundRecord[]): Promise<readonly OwnEntry[]> {
    const asked = found.flatMap(({ tag, messages }) =>
      messages.map(({ version, sha256 }) => ({ tag, message: { version, sha256 } })),
    );
    const known = asked.length === 0 ? [] : await this.#parts.log.latest(asked);
    const isKnown = new Map(asked.map(({ tag, message }, index) => [`${tag}/${message.version}`, known[index]]));
    const records: EntryRecord[] = [];
    let { records: adopted, versions, damaged } = this.#position;
    for (const { tag, rows, messages } of found) {
      if (!isWhole(rows)) damaged++;
      if (messages.length === 0 || !isWhole(rows)) continue;
      adopted++;
      for (const { version, scheme, sha256 } of messages) {
        const latest = isKnown.get(`${tag}/${version}`);
        // Removed since it was read: nothing of it is to be known any more.
        if (latest?.head?.state === "removed") continue;
        const isHead = version === rows.head?.version && latest?.head === null;
        if (latest?.isKnown === true && !isHead) continue;
        versions++;
        const head = isHead ? ({ state: "live", entry: rows.entry ?? null } as const) : {};
        records.push({ tag, version, scheme, sha256: sha256.toString("base64url"), ...head });
      }
    }
    this.#position = { ...this.#position, records: adopted, versions, damaged };
    const collection = found[0]?.address.collection;
    return chunks(records).map((some) => ({
      action: "adopt",
      records: some,
      ...(collection === undefined ? {} : { collection }),
    }));
  }
}

/** What no vault would give a collection or a record is no name of one: nobody reads it. */
const isCollection = (name: string): boolean => /^[a-z][a-z0-9_-]{0,62}$/.test(name);
const isNamed = ({ id }: { readonly id: string }): boolean => id.isWellFormed() && Buffer.byteLength(id) <= 256;

/** Whether head and rows fit together: what is not so is refused by every read. */
function isWhole({ head, newestRow, damage, versions }: RecordVersions): boolean {
  if (damage !== undefined || head === null) return false;
  return head.state === "live" && newestRow === head.version && versions[0]?.version === head.version;
}

function chunks(records: readonly EntryRecord[]): readonly (readonly EntryRecord[])[] {
  const cut: EntryRecord[][] = [];
  for (let at = 0; at < records.length; at += ENTRY_LIMITS.records)
    cut.push(records.slice(at, at + ENTRY_LIMITS.records));
  return cut;
}

function readCursor(cursor: string | null): Position {
  if (cursor === null) return START;
  try {
    return { ...START, ...(JSON.parse(cursor) as Partial<Position>) };
  } catch {
    return START;
  }
}
