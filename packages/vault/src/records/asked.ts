/**
 * One call of the vault, as the audit is told of it. What is given out or changed is told before; what is refused is
 * told here, in one place, with as much as was known by then of the record and of whom it is about. Of a vault without
 * an audit nothing is told, and nothing waits.
 */
import { setTimeout as delay } from "node:timers/promises";
import type {
  ActFacts,
  Auditor,
  ChangeFacts,
  Concerned,
  EntryDraft,
  NumberedOutcome,
  ReleasedRead,
} from "../audit/auditor.ts";
import type { AuditAction } from "../audit/entry.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { notingKeyWork } from "../keys/key-work.ts";
import type { KeyCall, KeyWork, MadeKeyNote } from "../keys/key-work.ts";
import type { UnitEntry } from "../stores/outbox.ts";
import type { VersionRow } from "../stores/rows.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { Collection, Place, Version } from "./address.ts";

/** Most records of one entry. */
export const ENTRY_RECORDS = 500;

/** Most calls of a KMS that one entry lists; no single operation comes near it. */
const ENTRY_CALLS = 4_000;

/** Whom a version is about, as its row says. */
type Whom = Pick<VersionRow, "version" | "scheme" | "subject" | "about">;

/** What a change hangs on, for the check against the log. */
export type Newest = Parameters<Auditor["requireNewest"]>[0][number];

/** What is refused to nobody in particular: a store or the audit cannot be used, or the caller has left. */
const NO_REFUSALS: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "aborted",
  "audit-unavailable",
  "outcome-unknown",
  "store-altered",
  "store-closed",
  "store-failed",
  "store-full",
  "store-newer",
  "store-replaced",
  "store-rolled-back",
  "store-set-back",
]);

/**
 * Does the work of a call, and tells what it was refused with.
 *
 * @param outbox where a refusal is told. Within a caller's transaction that is the key store's, which has connections
 *   of its own: callers who hold all those of the records' pool would wait for one more, each for the other.
 * @throws VaultError `audit-unavailable` in the place of a refusal that could not be told; what the work throws
 */
export async function asking<Result>(
  audit: Auditor | null,
  action: AuditAction,
  work: (asked: Asked) => Promise<Result>,
  outbox: "records" | "keys" = "records",
): Promise<Result> {
  const asked = new Asked(audit, outbox);
  if (audit === null) return work(asked);
  try {
    const result = await notingKeyWork(asked.keyWork, () => work(asked));
    await asked.tellKeysMade();
    return result;
  } catch (error) {
    await asked.tellRefusal(action, error);
    throw error;
  }
}

/** What is wrong with one record of several. */
export interface Withheld {
  readonly code: VaultErrorCode;
  /** Null: it is about no record, such as an id that is none. */
  readonly record: Concerned | null;
}

/** What one call has asked for. */
export class Asked {
  readonly keyWork: KeyWork = { calls: [], made: [] };
  readonly #audit: Auditor | null;
  readonly #outbox: "records" | "keys";
  readonly #concerned = new Map<string, Concerned>();
  #collection: Collection | undefined;
  #people: readonly SubjectId[] = [];
  readonly #exempt = new Set<SubjectId>();
  readonly #conditions = new Map<string, () => Promise<void>>();
  #isTold = false;

  constructor(audit: Auditor | null, outbox: "records" | "keys" = "records") {
    this.#audit = audit;
    this.#outbox = outbox;
  }

  get isAudited(): boolean {
    return this.#audit !== null;
  }

  /** For what it is done, where that is said and can be told. */
  get purpose(): string | undefined {
    return this.#audit?.actor.purpose;
  }

  /**
   * Looks whether something holds now, and again when the entry of what is given out is durable: whoever takes it back
   * in between is not overlooked. Of one key there is one condition.
   *
   * @throws what `holds` throws
   */
  async onlyWhile(key: string, holds: () => Promise<void>): Promise<void> {
    await holds();
    if (this.#audit !== null) this.#conditions.set(key, holds);
  }

  /** Whatever was read until now is read once more: no condition of it is left. */
  readsAnew(): void {
    this.#conditions.clear();
    this.#exempt.clear();
  }

  /** Somebody who is restricted, and may be read about all the same: only while a condition holds. */
  exempts(person: SubjectId): void {
    this.#exempt.add(person);
  }

  /** Which collection it is about. @throws VaultError `purpose-missing`, `purpose-refused` */
  uses(collection: Collection): void {
    this.#collection = collection;
    this.#audit?.requirePurpose(collection);
  }

  /** Which people it is about, where it is about no record. */
  isAbout(people: readonly SubjectId[]): void {
    this.#people = people;
  }

  /** Notes a record: for a refusal. What is known later of the same one takes its place. */
  concerns(place: Place, whom: Whom | null, version: Version | null = whom?.version ?? null): void {
    if (this.#audit === null) return;
    this.#concerned.set(place.row.id, concerned(place, whom, version));
  }

  /** Whether these may be given out: false, one of them has changed since it was read. */
  async released(action: "read" | "list" | "history", reads: readonly ReleasedRead[]): Promise<boolean> {
    if (this.#audit === null || reads.length === 0) return true;
    for (let start = 0; start < reads.length; start += ENTRY_RECORDS) {
      const some = reads.slice(start, start + ENTRY_RECORDS);
      if ((await this.#audit.released(action, some, this.#exempt)) === "overtaken") return false;
    }
    for (const holds of this.#conditions.values()) await holds();
    return true;
  }

  /** Whether these are as the log knows them; false: one of them has changed since it was read. */
  async areNewest(records: readonly Newest[]): Promise<boolean> {
    if (this.#audit === null || records.length === 0) return true;
    return (await this.#audit.requireNewest(records)) === "newest";
  }

  /** What the log has against each of these; null: nothing. */
  async problemsOf(records: readonly Newest[]): Promise<readonly (VaultErrorCode | null)[] | typeof OVERTAKEN> {
    // In one turn, so that it is one question.
    const all = await Promise.allSettled(records.map((record) => this.areNewest([record])));
    const problems: (VaultErrorCode | null)[] = [];
    for (const one of all) {
      if (one.status === "fulfilled" && !one.value) return OVERTAKEN;
      if (one.status === "rejected" && !isOfOneRecord(one.reason)) throw one.reason;
      problems.push(one.status === "rejected" ? (one.reason as VaultError).code : null);
    }
    return problems;
  }

  /** The entry of a change; null: there is no audit. */
  async draft(facts: () => Omit<ChangeFacts, "kms">, kms: readonly KeyCall[]): Promise<EntryDraft | null> {
    return this.#audit === null ? null : this.#audit.draft({ ...facts(), kms: kms.slice(0, ENTRY_CALLS) });
  }

  /** Has units made that are one transaction, with their entries. */
  async numbered<Result extends Made>(
    drafts: readonly (EntryDraft | null)[],
    make: (entries: readonly UnitEntry[]) => Promise<readonly Result[]>,
  ): Promise<readonly Result[]> {
    const own = drafts.filter((draft) => draft !== null);
    if (this.#audit === null || own.length < drafts.length) return make([]);
    let made: readonly Result[] = [];
    await this.#audit.numbered(own, async (entries) => {
      made = await make(entries);
      return outcomeOf(made);
    });
    return made;
  }

  /** Numbers the entries of a transaction of the caller's. */
  alone(drafts: readonly (EntryDraft | null)[]): readonly UnitEntry[] {
    return this.#audit?.alone(drafts.filter((draft) => draft !== null)) ?? [];
  }

  /** One entry more, of what was done. */
  async tell(action: AuditAction, result: string, facts: ActFacts): Promise<void> {
    await this.#audit?.tell(action, result, { collection: this.#collection, ...facts });
  }

  /** The same of several records: an entry for each so many, and one where there is none. */
  async tellInParts(
    action: AuditAction,
    result: string,
    all: readonly Concerned[],
    facts: ActFacts = {},
  ): Promise<void> {
    for (let start = 0; start === 0 || start < all.length; start += ENTRY_RECORDS)
      await this.tell(action, result, { ...facts, concerned: all.slice(start, start + ENTRY_RECORDS) });
  }

  /** Tells which records are not given out, or not written: an entry for each reason, and for each so many records. */
  async tellByCode(action: AuditAction, withheld: readonly Withheld[], facts?: ActFacts): Promise<void> {
    const byCode = Map.groupBy(withheld, ({ code }) => code);
    for (const [code, all] of byCode) {
      const records = new Set(all.flatMap(({ record }) => record ?? []));
      await this.tellInParts(action, code, [...records], facts);
    }
  }

  /** An entry before the work and one after it, which also tells of its failure. */
  async act<Result>(action: AuditAction, facts: ActFacts, work: () => Promise<Result>): Promise<Result> {
    if (this.#audit === null) return work();
    return this.#audit.act(action, facts, async () => {
      try {
        return await work();
      } catch (error) {
        this.#isTold = true;
        throw error;
      }
    });
  }

  /** Does a part of the work whose calls are told with an entry of its own. */
  async noting<Result>(calls: KeyCall[], work: () => Promise<Result>): Promise<Result> {
    return this.#audit === null ? work() : notingKeyWork({ calls, made: this.keyWork.made }, work);
  }

  /** The calls of a KMS up to here that no entry has told yet. */
  takeCalls(): readonly KeyCall[] {
    return this.keyWork.calls.splice(0);
  }

  /** Keys that were made up to here: told before anything is sealed under them. */
  async tellKeysMade(): Promise<void> {
    const made: readonly MadeKeyNote[] = this.keyWork.made.splice(0);
    if (made.length > 0) await this.#audit?.keysMade(made);
  }

  /** @throws VaultError `audit-unavailable` */
  async tellRefusal(action: AuditAction, error: unknown): Promise<void> {
    if (this.#audit === null || this.#isTold || !isRefusal(error)) return;
    await this.tellKeysMade();
    const all = [...this.#concerned.values()];
    const people = this.#people.length === 0 ? {} : { people: this.#people };
    // More than a batch has, one is as good as another: what is wrong with the batch is wrong with none of them.
    await this.#audit.tell(
      action,
      error.code,
      { collection: this.#collection, ...people, concerned: all.slice(0, ENTRY_RECORDS) },
      this.#outbox,
    );
  }
}

/** What became of a unit, as far as its entry's number hangs on it. */
interface Made {
  readonly kind: string;
}

/** @throws VaultError `outcome-unknown`: of one transaction some was made and some not, so nothing is known of it */
function outcomeOf(made: readonly Made[]): NumberedOutcome {
  if (made.some(({ kind }) => kind === "stream-moved")) return "moved";
  const isMade = made.filter(({ kind }) => kind === "made").length;
  if (isMade === 0) return "not-made";
  if (isMade === made.length) return "made";
  throw new VaultError("outcome-unknown", "The store has made a part of a transaction");
}

const isRefusal = (error: unknown): error is VaultError => isVaultError(error) && !NO_REFUSALS.has(error.code);

/** Whether a record is not as the log knows it; the others may be. */
export const isOfOneRecord = (error: unknown): boolean =>
  isVaultError(error) && (error.code === "record-rolled-back" || error.code === "record-tampered");

/** A record as the audit is told of it. */
export function concerned(
  { row, address }: Pick<Place, "row"> & { readonly address: Pick<Concerned, "id"> },
  whom: Whom | null,
  version: Version | null,
): Concerned {
  const { scheme = null, subject = null, about = [] } = whom ?? {};
  return { row, id: address.id, version, scheme, subject, about };
}

/** What is answered in the place of a result when another writer came in between. */
export const OVERTAKEN: unique symbol = Symbol("overtaken");

/** Tries of a reader whose record changes between the store and the log. */
const READ_ATTEMPTS = 32;

/** Longest random pause before the record is read again, in milliseconds. */
const READ_PAUSE_MS = 5;

/**
 * Reads again and again until nothing came in between.
 *
 * @throws VaultError `record-contended`
 */
export async function untilNewest<Result>(read: () => Promise<Result | typeof OVERTAKEN>): Promise<Result> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
    const result = await read();
    if (result !== OVERTAKEN) return result;
    if (attempt > 1) await delay(Math.random() * READ_PAUSE_MS);
  }
  throw new VaultError("record-contended", "Other writers kept changing what was read; nothing was given out");
}
