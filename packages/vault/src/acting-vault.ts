/**
 * A vault on behalf of one caller: each call parses the address that it is given, hands over to `records/`, and is told
 * in the audit as that caller's. What is owed after a write wakes the repair.
 */
import { approvalsOf } from "./approvals/approvals.ts";
import type { Approvals } from "./approvals/approvals.ts";
import type { Auditor } from "./audit/auditor.ts";
import type { VaultAudit } from "./audit/view.ts";
import { VaultError } from "./errors.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import type { Dependencies } from "./limits.ts";
import { readItems, readOptions } from "./options.ts";
import { RESERVED } from "./collections/declaration.ts";
import { parseAddress, parseCollection } from "./records/address.ts";
import type { Address, AddressInput, Collection } from "./records/address.ts";
import { asking } from "./records/asked.ts";
import type { PutManyResult } from "./records/batch-plan.ts";
import { typedCollection } from "./records/collection.ts";
import type { TypedCollection } from "./records/collection.ts";
import type { JsonObject } from "./records/document.ts";
import { list } from "./records/pages.ts";
import type { ListOptions, ListResult } from "./records/pages.ts";
import { PreparedWrites } from "./records/prepared.ts";
import type { PreparedWrite } from "./records/prepared.ts";
import { putMany } from "./records/put-many.ts";
import type { PutManyItem, PutManyOptions } from "./records/put-many.ts";
import { get, history } from "./records/read.ts";
import type { GetOptions, VaultRecord, VersionInfo } from "./records/read.ts";
import { put, remove } from "./records/write.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./records/write.ts";
import { debts, tellDebts } from "./convergence/debts.ts";
import type { LiveLatency } from "./convergence/live-latency.ts";
import type { Convergence } from "./convergence/view.ts";
import type { DebtPage, DebtSources } from "./convergence/debts.ts";
import { rightsOf } from "./rights/rights.ts";
import type { Rights } from "./rights/rights.ts";
import { subjectsOf } from "./subjects/subjects.ts";
import type { Subjects } from "./subjects/subjects.ts";
import { retentionOf } from "./retention/retention.ts";
import type { Retention } from "./retention/retention.ts";
import type { HeldPeople } from "./retention/sweep.ts";
import type { ActingVault } from "./vault.ts";

/** What a caller's view of a vault works with. */
export interface ActingParts {
  /** Their audit is the caller's. */
  readonly dependencies: Dependencies;
  /** Wraps are owed by what was written. */
  readonly onOwed: () => void;
  /** Keys that owe wraps; null: the vault has no key store. */
  readonly keyInventory: DebtSources["keys"];
  /** Runs of the convergence, on behalf of a caller. */
  readonly convergenceOf: (auditor: Auditor | null) => Convergence;
  /** Told how long reads and writes take: a run goes slower when they suffer by it. */
  readonly latency: Pick<LiveLatency, "ended">;
  /** Who is held, and is not removed by retention. */
  readonly heldPeople: HeldPeople;
  /** What a caller asks of the audit's log. */
  readonly viewOf: (auditor: Auditor) => VaultAudit;
}

export class ActingRecords implements ActingVault {
  readonly subjects: Subjects;
  readonly convergence: Convergence;
  readonly retention: Retention;
  readonly #parts: ActingParts;
  readonly #prepared: PreparedWrites;
  #audit: VaultAudit | null = null;
  #rights: Rights | null = null;

  constructor(parts: ActingParts) {
    const { dependencies } = parts;
    this.#parts = parts;
    this.#prepared = new PreparedWrites(dependencies);
    this.subjects = subjectsOf(dependencies, readOptions);
    this.retention = retentionOf({ ...dependencies, heldPeople: parts.heldPeople });
    this.convergence = parts.convergenceOf(dependencies.audit);
  }

  get approvals(): Approvals | null {
    const { store, audit, clock } = this.#d;
    const view = this.audit;
    if (view === null || audit === null) return null;
    return approvalsOf({ notes: store.notes, audit: view, principal: audit.actor.principal, clock });
  }

  get audit(): VaultAudit | null {
    const { audit } = this.#d;
    if (audit !== null) this.#audit ??= this.#parts.viewOf(audit);
    return this.#audit;
  }

  get rights(): Rights | null {
    const { audit } = this.#d;
    const view = this.audit;
    if (view === null || audit === null) return null;
    this.#rights ??= rightsOf({ ...this.#d, audit, view }, this.subjects, readOptions);
    return this.#rights;
  }

  put(address: AddressInput, document: object, options: PutOptions = {}): Promise<PutResult> {
    return this.#timed(
      asking(this.#d.audit, "write", async (asked) =>
        this.#owing(
          await put(this.#d, parseWritable(address), document as JsonObject, readOptions.put(options), asked),
        ),
      ),
    );
  }

  putMany(
    collection: string,
    items: readonly PutManyItem<object>[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]> {
    return asking(this.#d.audit, "write", async (asked) => {
      const name = requireWritable(parseCollection(collection));
      const results = await putMany(this.#d, name, readItems(items), readOptions.putMany(options), asked);
      for (const result of results) if ("wraps" in result) this.#owing(result);
      return results;
    });
  }

  prepare(address: AddressInput, document: object, options: PutOptions = {}): Promise<PreparedWrite> {
    return asking(this.#d.audit, "write", async (asked) =>
      this.#prepared.prepare(parseWritable(address), document as JsonObject, readOptions.put(options), asked),
    );
  }

  withTransaction(client: unknown, prepared: readonly PreparedWrite[]): Promise<readonly PutResult[]> {
    return asking(this.#d.audit, "write", (asked) => this.#prepared.make(client, prepared, asked));
  }

  get(address: AddressInput, options: GetOptions = {}): Promise<VaultRecord> {
    return this.#timed(
      asking(this.#d.audit, "read", async (asked) =>
        get(this.#d, parseAddress(address), readOptions.get(options), asked),
      ),
    );
  }

  history(address: AddressInput): Promise<readonly VersionInfo[]> {
    return asking(this.#d.audit, "history", async (asked) => history(this.#d, parseAddress(address), asked));
  }

  remove(address: AddressInput, options: RemoveOptions = {}): Promise<RemoveResult> {
    return asking(this.#d.audit, "remove", async (asked) =>
      remove(this.#d, parseWritable(address), readOptions.remove(options), asked),
    );
  }

  collection<Document extends object>(name: string): TypedCollection<Document> {
    return typedCollection(this, parseCollection(name));
  }

  list(collection: string, options: ListOptions = {}): Promise<ListResult> {
    return asking(this.#d.audit, "list", async (asked) =>
      list(this.#d, parseCollection(collection), readOptions.list(options), asked),
    );
  }

  debts(options: ListOptions = {}): Promise<DebtPage> {
    return asking(this.#d.audit, "list", async (asked) => {
      const sources = { keys: this.#parts.keyInventory, versions: this.#d.store.inventory };
      const found = await debts(this.#d, sources, readOptions.list(options));
      await tellDebts(this.#d, found, asked);
      return found;
    });
  }

  flipKeySet(): Promise<KeySetStatus> {
    const { keys } = this.#d;
    return asking(this.#d.audit, "flip-key-set", (asked) => asked.act("flip-key-set", {}, () => keys.flip()));
  }

  get #d(): Dependencies {
    return this.#parts.dependencies;
  }

  /** What fails is over quickly, and says nothing of the load. */
  async #timed<Result>(work: Promise<Result>): Promise<Result> {
    const began = performance.now();
    const result = await work;
    this.#parts.latency.ended(began, performance.now());
    return result;
  }

  /** A write that owes a wrap wakes the repair. */
  #owing<Written extends Pick<PutResult, "wraps">>(written: Written): Written {
    if (written.wraps.missing.length > 0) this.#parts.onOwed();
    return written;
  }
}

/** @throws VaultError `collection-reserved` */
function requireWritable(collection: Collection): Collection {
  if (!RESERVED.has(collection)) return collection;
  throw new VaultError("collection-reserved", "The collection is the vault's own, which callers do not write to");
}

function parseWritable(given: AddressInput): Address {
  const address = parseAddress(given);
  requireWritable(address.collection);
  return address;
}
