/**
 * A vault on behalf of one caller: each call parses the address that it is given, hands over to `records/`, and is told
 * in the audit as that caller's. What is owed after a write wakes the repair.
 */
import { approvalsOf } from "./approvals/approvals.ts";
import type { Approvals } from "./approvals/approvals.ts";
import type { Auditor } from "./audit/auditor.ts";
import type { VaultAudit } from "./audit/view.ts";
import type { AnyCollection } from "./collections/handle.ts";
import type { Erasures } from "./erasure/erasures.ts";
import type { KeySetStatus } from "./keys/key-sets.ts";
import type { Dependencies } from "./limits.ts";
import { readItems, readOptions } from "./options.ts";
import { parseAddress, parseCollection } from "./records/address.ts";
import type { AddressInput, Collection } from "./records/address.ts";
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
import type { VersionInfo } from "./records/read.ts";
import { parseWritable, requireWritable } from "./records/writable.ts";
import { put, remove } from "./records/write.ts";
import { EVERYTHING } from "./roles/paths.ts";
import type { Access } from "./roles/access.ts";
import {
  APPROVAL_NEEDS,
  CONVERGENCE_NEEDS,
  ERASURE_NEEDS,
  guarded,
  guardedAudit,
  RETENTION_NEEDS,
  SUBJECT_NEEDS,
} from "./roles/guarded.ts";
import { putPart } from "./roles/put-part.ts";
import type { ReadOptions, ShownFindOptions } from "./roles/read-options.ts";
import { shown, shownAll } from "./roles/shown.ts";
import type { ShownPage, ShownRecord } from "./roles/shown.ts";
import { sealedFields } from "./sealed/sealed-fields.ts";
import type { SealedRecord } from "./sealed/sealed-fields.ts";
import type { PutOptions, PutResult, RemoveOptions, RemoveResult } from "./records/write.ts";
import { countFound, explainFind, find, searchOf } from "./search/find.ts";
import type { FindExplanation, FindOptions, FoundCount } from "./search/find.ts";
import { pathsAsked } from "./search/query.ts";
import type { FindQuery } from "./search/query.ts";
import { vaultIndexes } from "./search/vault-indexes.ts";
import type { VaultIndexes } from "./search/vault-indexes.ts";
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
  /** What the caller may: asked before anything is looked up. */
  readonly access: Access;
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
  /** Erasures, on behalf of a caller. */
  readonly erasuresOf: (auditor: Auditor, view: VaultAudit) => Erasures;
  /** Whether an export of a collection needs another principal's approval. */
  readonly fourEyes: boolean;
}

export class ActingRecords implements ActingVault {
  readonly #parts: ActingParts;
  readonly #prepared: PreparedWrites;
  #subjects: Subjects | null = null;
  #indexes: VaultIndexes | null = null;
  #convergence: Convergence | null = null;
  #retention: Retention | null = null;
  #audit: VaultAudit | null = null;
  /** As the vault's own parts ask it, for whom the caller's roles were asked before. */
  #unboundView: VaultAudit | null = null;
  #rights: Rights | null = null;

  constructor(parts: ActingParts) {
    this.#parts = parts;
    this.#prepared = new PreparedWrites(parts.dependencies);
  }

  // Made when they are asked for: of a caller who reads one record none is.
  get subjects(): Subjects {
    this.#subjects ??= guarded(subjectsOf(this.#d, readOptions), SUBJECT_NEEDS, this.#guard);
    return this.#subjects;
  }

  get indexes(): VaultIndexes {
    const { audit } = this.#d;
    this.#indexes ??= vaultIndexes(
      this.#d,
      {
        act: (what, collection, work) =>
          asking(audit, "index", async (asked) => {
            this.#access.requireAction("keys");
            return asked.act("index", { collection, details: { what } }, work);
          }),
        look: (work) =>
          asking(audit, "index", async () => {
            this.#access.requireAction("keys");
            return work();
          }),
      },
      readOptions,
    );
    return this.#indexes;
  }

  get convergence(): Convergence {
    this.#convergence ??= guarded(this.#parts.convergenceOf(this.#d.audit), CONVERGENCE_NEEDS, this.#guard);
    return this.#convergence;
  }

  get retention(): Retention {
    const { heldPeople } = this.#parts;
    this.#retention ??= guarded(retentionOf({ ...this.#d, heldPeople }, readOptions), RETENTION_NEEDS, this.#guard);
    return this.#retention;
  }

  get approvals(): Approvals | null {
    const approvals = this.#approvals;
    return approvals === null ? null : guarded(approvals, APPROVAL_NEEDS, this.#guard);
  }

  get erasure(): Erasures | null {
    const { audit } = this.#d;
    const view = this.#view;
    if (view === null || audit === null) return null;
    return guarded(this.#parts.erasuresOf(audit, view), ERASURE_NEEDS, { access: this.#access, audit });
  }

  get audit(): VaultAudit | null {
    const { audit } = this.#d;
    const view = this.#view;
    if (view === null || audit === null) return null;
    this.#audit ??= guardedAudit(view, { access: this.#access, audit });
    return this.#audit;
  }

  get rights(): Rights | null {
    const { audit } = this.#d;
    const view = this.#view;
    if (view === null || audit === null) return null;
    this.#rights ??= rightsOf({ ...this.#d, audit, view, access: this.#access }, this.subjects, readOptions);
    return this.#rights;
  }

  put(address: AddressInput, document: object, options: PutOptions = {}): Promise<PutResult> {
    return this.#timed(
      asking(this.#d.audit, "write", async (asked) => {
        const [place, given] = [parseWritable(address), readOptions.put(options)];
        asked.uses(place.collection);
        const how = { access: this.#access, options: given, asked };
        const mode = this.#access.requireWrite(place.collection, document);
        return this.#owing(
          mode === "whole"
            ? await put(this.#d, place, document as JsonObject, given, asked)
            : await putPart(this.#d, place, document as JsonObject, how),
        );
      }),
    );
  }

  putMany(
    collection: string,
    items: readonly PutManyItem<object>[],
    options: PutManyOptions,
  ): Promise<readonly PutManyResult[]> {
    return asking(this.#d.audit, "write", async (asked) => {
      const name = requireWritable(parseCollection(collection));
      const [given, how] = [readItems(items), readOptions.putMany(options)];
      asked.uses(name);
      // Threat: `unchanged` says that a guess at a document was right.
      if (how.onExisting === "compare") this.#access.requireWhole(name);
      this.#access.requireWholeWrite(
        name,
        given.map((item) => item.document),
      );
      const results = await putMany(this.#d, name, given, how, asked);
      for (const result of results) if ("wraps" in result) this.#owing(result);
      return results;
    });
  }

  prepare(address: AddressInput, document: object, options: PutOptions = {}): Promise<PreparedWrite> {
    return asking(this.#d.audit, "write", async (asked) => {
      const [place, given] = [parseWritable(address), readOptions.put(options)];
      asked.uses(place.collection);
      this.#access.requireWholeWrite(place.collection, [document]);
      return this.#prepared.prepare(place, document as JsonObject, given, asked);
    });
  }

  withTransaction(client: unknown, prepared: readonly PreparedWrite[]): Promise<readonly PutResult[]> {
    return asking(this.#d.audit, "write", (asked) => this.#prepared.make(client, prepared, asked), "keys");
  }

  get(address: AddressInput, options: ReadOptions & { readonly sealed: true }): Promise<SealedRecord>;
  get(address: AddressInput, options?: ReadOptions): Promise<ShownRecord>;
  get(address: AddressInput, options: ReadOptions = {}): Promise<ShownRecord | SealedRecord> {
    return this.#timed(
      asking(this.#d.audit, "read", async (asked) => {
        const { fields, sealed = false, ...how } = readOptions.get(options);
        const place = parseAddress(address);
        const { collection } = place;
        asked.uses(collection);
        const view = this.#access.requireView(collection, fields);
        const tellsWhom = this.#access.view(collection).kind === "whole";
        await this.#requireApprovedExport(collection);
        const record = await shown(this.#d, await get(this.#d, place, how, asked), { view, tellsWhom }, how.signal);
        return sealed ? sealedFields(record, this.#d.declarations.of(collection).fields) : record;
      }),
    );
  }

  history(address: AddressInput): Promise<readonly VersionInfo[]> {
    return asking(this.#d.audit, "history", async (asked) => {
      const place = parseAddress(address);
      asked.uses(place.collection);
      // Threat: lengths of messages and names of people tell of what is masked.
      this.#access.requireWhole(place.collection);
      await this.#requireApprovedExport(place.collection);
      return history(this.#d, place, asked);
    });
  }

  remove(address: AddressInput, options: RemoveOptions = {}): Promise<RemoveResult> {
    return asking(this.#d.audit, "remove", async (asked) => {
      const place = parseWritable(address);
      asked.uses(place.collection);
      this.#access.requireAction("write", place.collection);
      return remove(this.#d, place, readOptions.remove(options), asked);
    });
  }

  collection<Document extends object>(named: string | AnyCollection): TypedCollection<Document> {
    return typedCollection(this, parseCollection(typeof named === "string" ? named : named.name));
  }

  list(collection: string, options: ListOptions = {}): Promise<ListResult> {
    return asking(this.#d.audit, "list", async (asked) => {
      const name = parseCollection(collection);
      asked.uses(name);
      this.#access.requireIds(name);
      const how = readOptions.list(options);
      await this.#requireApprovedExport(name);
      return list(this.#d, name, how, asked);
    });
  }

  find(collection: string, query: FindQuery, options: ShownFindOptions = {}): Promise<ShownPage> {
    return asking(this.#d.audit, "find", async (asked) => {
      const { fields, ...how } = readOptions.find(options);
      const name = parseCollection(collection);
      asked.uses(name);
      this.#access.requireIds(name);
      const view = this.#access.requireView(name, fields);
      this.#access.requireFind(name, pathsAsked(query));
      const search = searchOf(this.#d, name, { query, tenant: how.tenant }, asked);
      await this.#requireApprovedExport(name);
      const { items, ...page } = await find(this.#d, search, how, asked);
      const showing = { view, tellsWhom: this.#access.view(name).kind === "whole" };
      return { ...page, items: await shownAll(this.#d, name, items, showing, how.signal) };
    });
  }

  countFound(
    collection: string,
    query: FindQuery,
    options: Pick<FindOptions, "tenant" | "signal"> = {},
  ): Promise<FoundCount> {
    return asking(this.#d.audit, "find", async (asked) => {
      const [name, how] = [parseCollection(collection), readOptions.countFound(options)];
      asked.uses(name);
      this.#access.requireFind(name, pathsAsked(query));
      const search = searchOf(this.#d, name, { query, tenant: how.tenant }, asked);
      await this.#requireApprovedExport(name);
      return countFound(this.#d, search, how, asked);
    });
  }

  explainFind(collection: string, query: FindQuery): Promise<FindExplanation> {
    return asking(this.#d.audit, "find", async (asked) => {
      const name = parseCollection(collection);
      asked.uses(name);
      this.#access.requireFind(name, pathsAsked(query));
      return explainFind(this.#d, name, query, asked);
    });
  }

  debts(options: ListOptions = {}): Promise<DebtPage> {
    return asking(this.#d.audit, "list", async (asked) => {
      this.#access.requireAction("read", EVERYTHING);
      const sources = { keys: this.#parts.keyInventory, versions: this.#d.store.inventory };
      const found = await debts(this.#d, sources, readOptions.list(options));
      await tellDebts(this.#d, found, asked);
      return found;
    });
  }

  flipKeySet(): Promise<KeySetStatus> {
    const { keys } = this.#d;
    return asking(this.#d.audit, "flip-key-set", async (asked) => {
      this.#access.requireAction("keys");
      return asked.act("flip-key-set", {}, () => keys.flip());
    });
  }

  get #d(): Dependencies {
    return this.#parts.dependencies;
  }

  get #view(): VaultAudit | null {
    const { audit } = this.#d;
    if (audit !== null) this.#unboundView ??= this.#parts.viewOf(audit);
    return this.#unboundView;
  }

  /** As the vault's own parts ask them, whatever the caller's roles are. */
  get #approvals(): Approvals | null {
    const { store, audit, clock } = this.#d;
    const view = this.#view;
    if (view === null || audit === null) return null;
    return approvalsOf({ notes: store.notes, audit: view, principal: audit.actor.principal, clock });
  }

  /** Looked at again in each call of an export: whoever takes the approval back stops it. */
  async #requireApprovedExport(collection: Collection): Promise<void> {
    if (!this.#parts.fourEyes || this.#d.audit?.actor.export === undefined) return;
    await this.#approvals?.require({ action: "export", target: collection });
  }

  get #access(): Access {
    return this.#parts.access;
  }

  get #guard(): Pick<Dependencies, "audit"> & Pick<ActingParts, "access"> {
    return { access: this.#access, audit: this.#d.audit };
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
