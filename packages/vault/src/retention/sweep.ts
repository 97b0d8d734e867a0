/**
 * One collection, page by page: which of its records have stayed long enough, and may go.
 */
import { isVaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { endOf } from "../collections/period.ts";
import type { DeclaredRetention } from "../collections/rights.ts";
import type { Dependencies } from "../limits.ts";
import { parseId } from "../records/address.ts";
import type { Address, Collection, RecordId } from "../records/address.ts";
import { asking } from "../records/asked.ts";
import { failsTheList } from "../records/pages.ts";
import { recordState } from "../records/read.ts";
import { whomItWasAbout } from "../records/removed-people.ts";
import { openVersion, storedAddress } from "../records/version.ts";
import { remove } from "../records/write.ts";
import type { ListedRecord } from "../stores/rows.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { ownId } from "../subjects/subjects.ts";

/** Of some people, those who are held: what is about them stays. */
export type HeldPeople = (ids: readonly SubjectId[]) => Promise<ReadonlySet<SubjectId>>;

/** What it works with. */
export interface SweepParts extends Dependencies {
  readonly heldPeople: HeldPeople;
}

/** A collection with its retention. */
export interface RetainedCollection {
  readonly collection: Collection;
  readonly retention: DeclaredRetention;
}

/** What was found, in numbers of records. */
export interface Tally {
  readonly looked: number;
  /** Those that have stayed long enough. They were removed, are held, were changed meanwhile, or failed. */
  readonly due: number;
  readonly removed: number;
  /** About somebody who is held or restricted. */
  readonly held: number;
  /** Without a date in the declared field: they stay. */
  readonly undated: number;
  readonly changed: number;
  readonly failed: Readonly<Partial<Record<VaultErrorCode, number>>>;
}

const PAGE = 100;
/** A day, or a moment with its offset: nothing that two readers would take for two dates. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

type Counted = { -readonly [Name in keyof Omit<Tally, "failed">]: number } & {
  readonly failed: Partial<Record<VaultErrorCode, number>>;
};

export class Sweep {
  readonly #parts: SweepParts;
  readonly #of: RetainedCollection;
  readonly #what: "plan" | "run";
  readonly #tally: Counted = { looked: 0, due: 0, removed: 0, held: 0, undated: 0, changed: 0, failed: {} };
  #problem: { readonly code: string; readonly at: string } | null = null;

  constructor(parts: SweepParts, of: RetainedCollection, what: "plan" | "run") {
    this.#parts = parts;
    this.#of = of;
    this.#what = what;
  }

  get tally(): Tally {
    return { ...this.#tally, failed: { ...this.#tally.failed } };
  }

  /** One page behind a cursor. `isLeft`: it was ended within the page, which is to be looked through again. */
  async page(
    cursor: string | null,
    signal: AbortSignal | undefined,
  ): Promise<{
    readonly cursor: string | null;
    readonly isLeft: boolean;
    readonly progress: {
      readonly done: number;
      readonly failed: number;
      readonly problem: { readonly code: string; readonly at: string } | null;
    };
  }> {
    const { store } = this.#parts;
    const before = { removed: this.#tally.removed, failed: this.#failures };
    const after = cursor === null ? null : Buffer.from(cursor, "base64url");
    const rows = (await store.records.list(this.#of.collection, { after, limit: PAGE })) ?? [];
    let isLeft = false;
    for (const row of rows) {
      if ((isLeft = signal?.aborted === true)) break;
      await this.#look(row);
    }
    const last = rows.at(-1);
    const isEnd = last === undefined || rows.length < PAGE;
    const progress = {
      done: this.#tally.removed - before.removed,
      failed: this.#failures - before.failed,
      problem: this.#problem,
    };
    return { cursor: isEnd ? null : Buffer.from(last.position).toString("base64url"), isLeft, progress };
  }

  get #failures(): number {
    return Object.values(this.#tally.failed).reduce((sum, count) => sum + count, 0);
  }

  async #look(listed: ListedRecord): Promise<void> {
    this.#tally.looked++;
    try {
      await this.#lookAt(listed);
    } catch (error) {
      if (!isVaultError(error) || failsTheList(error) || error.code === "audit-unavailable") throw error;
      this.#tally.failed[error.code] = (this.#tally.failed[error.code] ?? 0) + 1;
      this.#problem = { code: error.code, at: this.#parts.clock().toISOString() };
    }
  }

  async #lookAt(listed: ListedRecord): Promise<void> {
    const { retention, collection } = this.#of;
    const { store, clock } = this.#parts;
    const state = recordState(listed);
    if (state.kind === "absent") return;
    const row: Address = { collection, id: parseId(listed.id) };
    const from = retention.from === null ? listed.updatedAt : await this.#dateIn(row, retention.from);
    if (from === null) this.#tally.undated++;
    if (from === null || endOf(retention.after, Date.parse(from)) > clock().getTime()) return;
    this.#tally.due++;
    // As late as can be: who is held while it is looked at is held.
    const about = await whomItWasAbout(store.records, listed, row);
    const people = (about ?? []).flatMap((part) => [part.subject, ...part.about]).filter(isSubjectId);
    if (await this.#isKept([...new Set(people)])) this.#tally.held++;
    else if (this.#what === "run") await this.#remove(listed, row, state.version);
  }

  /** Also where one of them was never in the newest version: what is held of them is in the older ones. */
  async #isKept(people: readonly SubjectId[]): Promise<boolean> {
    if (people.length === 0) return false;
    const { store, heldPeople } = this.#parts;
    const rows = await store.subjects.get(people);
    if (rows.some((row) => row?.state === "restricted")) return true;
    return (await heldPeople(people)).size > 0;
  }

  async #remove(listed: ListedRecord, row: Address, version: number): Promise<void> {
    const { subjectKeys, audit } = this.#parts;
    const record = { ...row, sealedId: listed.sealedId, position: listed.position };
    const id = subjectKeys === null ? row.id : await ownId(this.#parts, subjectKeys, record, undefined);
    const address = { ...row, id: (id ?? row.id) as RecordId };
    try {
      await asking(audit, "remove", (asked) =>
        remove(this.#parts, address, { expect: { kind: "version", version } }, asked),
      );
      this.#tally.removed++;
    } catch (error) {
      if (!isVaultError(error) || (error.code !== "version-conflict" && error.code !== "record-absent")) throw error;
      // Written since it was listed: by its own date it may not be due any more.
      this.#tally.changed++;
    }
  }

  /** The date in a field of the newest version; null: there is none. */
  async #dateIn(row: Address, path: readonly string[]): Promise<string | null> {
    const { store, keys, subjectKeys } = this.#parts;
    const { stored } = await store.records.read(row, null);
    if (stored === null) return null;
    const of = storedAddress(row, stored, subjectKeys);
    let value: unknown = await openVersion(stored.message, of, { keys, subjectKeys, signal: undefined });
    for (const name of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
      value = Reflect.get(value, name);
    }
    return typeof value === "string" && DATE.test(value) && !Number.isNaN(Date.parse(value)) ? value : null;
  }
}
