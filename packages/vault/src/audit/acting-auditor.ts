/**
 * The audit on behalf of one caller (auditor.ts): what is done becomes entries, and what is given out is compared with
 * the log first. All callers of a vault share its lanes, its groups and its questions to the log.
 */
import { hash, randomUUID } from "node:crypto";
import { isVaultError, VaultError } from "../errors.ts";
import type { EntryId, UnitEntry } from "../stores/outbox.ts";
import { MAX_ENTRY_BYTES } from "../stores/outbox.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { parseActor, RESERVED } from "./actor.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type {
  ActFacts,
  Actor,
  Auditor,
  ChangeFacts,
  Concerned,
  EntryDraft,
  NumberedOutcome,
  ReleasedRead,
} from "./auditor.ts";
import { draftOf, Parts, peopleOf, unitEntryOf } from "./draft.ts";
import type { Draft, DraftFacts } from "./draft.ts";
import type { AuditAction, EntryRecord } from "./entry.ts";
import { ENTRY_LIMITS, isBody } from "./entry-text.ts";
import type { EntryBody } from "./entry-text.ts";
import type { Histories, SeenRecord, Standing } from "./histories.ts";
import { newStream, placeIn } from "./lanes.ts";
import type { Lanes } from "./lanes.ts";
import type { ReaderGroups } from "./reader-groups.ts";
import { NotTogether } from "./reads-together.ts";
import type { ReadsTogether } from "./reads-together.ts";
import { unavailable } from "./unavailable.ts";

/** What all callers share. */
export interface SharedAudit {
  readonly keys: AuditKeys;
  readonly histories: Histories;
  /** Of the records' outbox. */
  readonly lanes: Lanes;
  /** Of the records' outbox. */
  readonly groups: ReaderGroups;
  readonly together: ReadsTogether;
  /** Of the key store's outbox. */
  readonly keyGroups: ReaderGroups;
  readonly purposesOf: (collection: string) => readonly string[] | null;
  readonly clock: () => Date;
  /** @throws VaultError `store-rolled-back` */
  readonly requireWhole: () => void;
  /** The same, and that it was not closed. @throws VaultError `store-closed` */
  readonly requireOpen: () => void;
  /** Something was written. */
  readonly onWritten: () => void;
}

/** Most records of one entry. */
const ENTRY_RECORDS = 500;
/** What an entry of several records is to stay below, in bytes and people, by a guess that is rather too high. */
const ENTRY_BYTES: number = 512 * 1024;
const BYTES_OF_A_RECORD = 64;
const BYTES_OF_A_PART = 512;
/** So many versions of one unit are listed for each person; of more, the record alone. */
const LISTED_VERSIONS = 16;
/** Streams that a unit is tried in, when each turns out to be closed or written to by somebody else. */
const STREAM_ATTEMPTS = 8;

export class ActingAuditor implements Auditor {
  readonly actor: Actor;
  readonly #shared: SharedAudit;
  /** All that an entry says of its caller. */
  readonly #caller: string;

  constructor(shared: SharedAudit, actor: Actor) {
    const { principal, purpose, ticket, export: ofExport } = actor;
    this.#shared = shared;
    this.#caller = JSON.stringify([principal, purpose ?? null, ticket ?? null, ofExport ?? null]);
    this.actor = actor;
  }

  as(actor: Actor): Auditor {
    return new ActingAuditor(this.#shared, parseActor(actor));
  }

  requirePurpose(collection: string): void {
    const purposes = this.#shared.purposesOf(collection);
    if (purposes === null) return;
    const { purpose, principal } = this.actor;
    // What the vault does by itself is used by nobody.
    if (principal.startsWith(RESERVED)) return;
    if (purpose === undefined)
      throw new VaultError("purpose-missing", "It must be said for what a record of the collection is used");
    if (!purposes.includes(purpose))
      throw new VaultError("purpose-refused", "The collection does not declare the purpose that was said");
  }

  async released(
    action: "read" | "list" | "history",
    reads: readonly ReleasedRead[],
    exempt: ReadonlySet<SubjectId> = NOBODY_EXEMPT,
  ): Promise<"released" | "overtaken"> {
    const { histories, requireOpen } = this.#shared;
    requireOpen();
    const standing = await histories.check(reads);
    if (standing === "overtaken") return "overtaken";
    const [only] = reads;
    // By a KMS's request it is told which read it was for.
    const isTogether = action === "read" && reads.length === 1 && exempt.size === 0;
    if (isTogether && only?.kms.length === 0) await this.#readTogether(only);
    else await Promise.all(pieces(reads).map((some) => this.#written(action, some, exempt)));
    this.#shared.onWritten();
    // Perhaps it was found set back meanwhile.
    this.#shared.requireWhole();
    return "released";
  }

  #readTogether(read: ReleasedRead): Promise<void> {
    const of = `${read.row.collection}/${this.#caller}`;
    return this.#shared.together.tell(of, read, async (reads) => {
      let draft: Draft;
      try {
        draft = await this.#read("read", reads);
      } catch (error) {
        throw reads.length > 1 ? new NotTogether("not all can be sealed", { cause: error }) : error;
      }
      await this.#write(draft, reads);
    });
  }

  /** Resolves when an entry of reads is durable. */
  async #written(
    action: AuditAction,
    reads: readonly ReleasedRead[],
    exempt: ReadonlySet<SubjectId> = NOBODY_EXEMPT,
  ): Promise<void> {
    await this.#write(await this.#read(action, reads), reads, exempt);
  }

  async #write(
    draft: Draft,
    reads: readonly ReleasedRead[],
    exempt: ReadonlySet<SubjectId> = NOBODY_EXEMPT,
  ): Promise<void> {
    this.#shared.requireOpen();
    const active = reads.flatMap(peopleOf).filter((id) => !exempt.has(id));
    await this.#shared.groups.write(draft, active, reads.length);
  }

  async requireNewest(records: readonly SeenRecord[]): Promise<Standing> {
    this.#shared.requireOpen();
    return this.#shared.histories.check(records);
  }

  async draft({ writeId, action, row, id, previous, versions, kms }: ChangeFacts): Promise<EntryDraft> {
    this.#shared.requireOpen();
    const tag = this.#shared.keys.tag(row);
    const state = action === "write" ? "live" : "removed";
    const records = versions.map(({ version, scheme, message }): EntryRecord => {
      const sha256 = message === null ? {} : { sha256: sha256Of(message) };
      return { tag, version, state, scheme, ...sha256, previous };
    });
    const parts = new Parts();
    const isListed = versions.length <= LISTED_VERSIONS;
    for (const version of isListed ? versions : eachPeople(versions))
      parts.add({ ...version, id, version: isListed ? version.version : null });
    // The id of the entry is the unit's.
    const named = { id: writeId as string as EntryId, tag, previous };
    return this.#draft(named, { action, result: "done", collection: row.collection, records, kms }, parts);
  }

  async numbered(
    drafts: readonly EntryDraft[],
    make: (entries: readonly UnitEntry[]) => Promise<NumberedOutcome>,
  ): Promise<void> {
    const { lanes, requireOpen, keys, onWritten } = this.#shared;
    const own = drafts.map(asDraft);
    for (let attempt = 1; attempt <= STREAM_ATTEMPTS; attempt++) {
      const outcome = await lanes.numbered(own.length, async (place) => {
        requireOpen();
        const entries = own.map((draft, index) => unitEntryOf(draft, placeIn(place, index), keys));
        const made = await make(entries);
        return { outcome: made, result: made };
      });
      if (outcome === "made") onWritten();
      if (outcome !== "moved") return;
    }
    throw unavailable("Streams of the audit's outbox are not where they were left");
  }

  alone(drafts: readonly EntryDraft[]): readonly UnitEntry[] {
    this.#shared.requireOpen();
    const stream = newStream();
    return drafts.map((draft, index) => {
      const place = { stream, number: index + 1, ends: index === drafts.length - 1 };
      return unitEntryOf(asDraft(draft), place, this.#shared.keys);
    });
  }

  async tell(
    action: AuditAction,
    result: string,
    facts: ActFacts = {},
    outbox: "records" | "keys" = "records",
  ): Promise<void> {
    const { groups, keyGroups } = this.#shared;
    await this.#tell(outbox === "keys" ? keyGroups : groups, action, result, facts);
  }

  async act<Result>(action: AuditAction, facts: ActFacts, work: () => Promise<Result>): Promise<Result> {
    await this.tell(action, "begun", facts);
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      // What went wrong is told also where the audit cannot take it.
      await this.tell(action, isVaultError(error) ? error.code : "failed", facts).catch(() => undefined);
      throw error;
    }
    // It was done, and that it was begun is in the audit.
    await this.tell(action, "done", facts).catch(() => undefined);
    return result;
  }

  async rewrap({ row, message, ...about }: Omit<ReleasedRead, "rows" | "kms">): Promise<void> {
    this.#shared.requireOpen();
    const tag = this.#shared.keys.tag(row);
    const parts = new Parts();
    parts.add(about);
    const scheme = about.scheme === null ? {} : { scheme: about.scheme };
    const sha256 = message === null ? {} : { sha256: sha256Of(message) };
    const records = [{ tag, version: about.version, ...scheme, ...sha256 }];
    const body = { action: "rewrap", result: "done", collection: row.collection, records } as const;
    await this.#shared.groups.write(await this.#draft({ id: newEntryId(), tag }, body, parts));
    this.#shared.onWritten();
  }

  async keysMade(keys: Parameters<Auditor["keysMade"]>[0]): Promise<void> {
    for (let start = 0; start < keys.length; start += ENTRY_RECORDS) {
      const some = keys.slice(start, start + ENTRY_RECORDS);
      const people = some.flatMap(({ person }) => person ?? []);
      const counts = new Map<string, number>();
      for (const { kind } of some) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const details = { ...Object.fromEntries(counts), versions: some.map(({ version }) => version).join(" ") };
      await this.#tell(this.#shared.keyGroups, "keys-made", "done", { people, details });
    }
  }

  async #tell(groups: ReaderGroups, action: AuditAction, result: string, facts: ActFacts): Promise<void> {
    this.#shared.requireOpen();
    const { collection, people = [], concerned: all = [], details = {}, label } = facts;
    const [concerned, ...others] = all.length === 0 ? [[]] : pieces(all);
    const parts = new Parts();
    for (const one of concerned ?? []) parts.add(one);
    for (const id of people) parts.person(id);
    const ofRecords = this.#records(concerned ?? []);
    const given = Object.keys(details).length === 0 ? undefined : details;
    const body = { action, result, ...ofRecords, collection: collection ?? ofRecords.collection, details: given };
    const draft = await this.#draft({ id: newEntryId() }, body, parts, label);
    // A part of it comes from outside of the vault.
    if (!isBody(draft.body))
      throw new VaultError("vault-option-invalid", "What is to be told is no entry of the audit");
    await groups.write(draft);
    for (const more of others) await this.#tell(groups, action, result, { collection, concerned: more, details });
    this.#shared.onWritten();
  }

  #read(action: AuditAction, reads: readonly ReleasedRead[]): Draft | Promise<Draft> {
    const parts = new Parts();
    for (const read of reads) parts.add(read);
    const kms = reads.flatMap((read) => read.kms);
    return this.#draft({ id: newEntryId() }, { action, result: "done", kms, ...this.#records(reads) }, parts);
  }

  #records(concerned: readonly Pick<ReleasedRead, "row" | "version">[]): Pick<EntryBody, "collection" | "records"> {
    const { keys } = this.#shared;
    const records = concerned.map(({ row, version }) => ({ tag: keys.tag(row), version }));
    return { collection: concerned[0]?.row.collection, records };
  }

  /** At once, where the keys of everybody are in memory. */
  #draft(named: Omit<DraftFacts, "body">, body: Told, parts: Parts, label?: string): Draft | Promise<Draft> {
    try {
      const people = parts.sealed(named.id, this.#shared.keys, { ticket: this.actor.ticket, label });
      if (!(people instanceof Promise)) return this.#drafted(named, body, people);
      return people.then((sealed) => this.#drafted(named, body, sealed)).catch(cannotBeSealed);
    } catch (error) {
      return cannotBeSealed(error);
    }
  }

  #drafted(named: Omit<DraftFacts, "body">, told: Told, people: EntryBody["people"]): Draft {
    const { principal, purpose, export: ofExport } = this.actor;
    const { action, result, collection, records, kms, details } = told;
    const draft = draftOf({
      ...named,
      body: {
        ...{ at: this.#shared.clock().toISOString(), action, result, principal, purpose, collection },
        records: records?.length === 0 ? undefined : records,
        people,
        kms: kms?.length === 0 ? undefined : kms,
        ...{ export: ofExport, details },
      },
    });
    if (draft.bytes <= MAX_ENTRY_BYTES) return draft;
    throw unavailable("An entry of the audit is too large");
  }
}

/** What an entry tells that is not of its caller. Lists of nothing are left out of it. */
type Told = Pick<EntryBody, "action" | "result"> &
  Partial<Pick<EntryBody, "collection" | "records" | "kms" | "details">>;

const cannotBeSealed = (error: unknown): never => {
  throw unavailable("An entry of the audit cannot be sealed", error);
};

const NOBODY_EXEMPT: ReadonlySet<SubjectId> = new Set();

const newEntryId = (): EntryId => randomUUID() as string as EntryId;

const sha256Of = (message: Uint8Array): string => hash("sha256", message, "base64url");

function asDraft(draft: EntryDraft): Draft {
  if ("body" in draft) return draft as Draft;
  throw new TypeError("this draft is not one of the audit's");
}

/** What is listed, as it comes, in as many entries as it needs. */
function pieces<One extends Listed>(reads: readonly One[]): readonly (readonly One[])[] {
  if (reads.length === 1) return [reads];
  const all: One[][] = [];
  let [bytes, people] = [Infinity, 0];
  for (const read of reads) {
    const parts = 1 + read.about.length;
    const more = BYTES_OF_A_RECORD + parts * (BYTES_OF_A_PART + 3 * (read.id?.length ?? 0)) + kmsBytes(read);
    const last = all.at(-1);
    const fits = bytes + more <= ENTRY_BYTES && people + parts <= ENTRY_LIMITS.people;
    const isSameCollection = last?.[0]?.row.collection === read.row.collection;
    if (last !== undefined && fits && isSameCollection && last.length < ENTRY_RECORDS) {
      last.push(read);
      [bytes, people] = [bytes + more, people + parts];
    } else {
      all.push([read]);
      [bytes, people] = [more, parts];
    }
  }
  return all;
}

type Listed = Concerned & Partial<Pick<ReleasedRead, "kms">>;

const kmsBytes = ({ kms = [] }: Listed): number =>
  kms.reduce((sum, { region, key, requestId }) => sum + 64 + region.length + key.length + requestId.length, 0);

/** One version for each group of people that versions are about. */
function eachPeople(versions: ChangeFacts["versions"]): ChangeFacts["versions"] {
  const found = new Map(
    versions.map((version) => [[version.scheme, version.subject, ...version.about].join(" "), version]),
  );
  return [...found.values()];
}
