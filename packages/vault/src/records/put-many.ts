/**
 * Writes many documents. Items are taken in their order, also when an id comes twice: a batch gives the same result as
 * its items one by one, wherever an import cuts its batches. All items of one id are one unit; all units are one
 * transaction, where the store can do that.
 *
 * What is wrong with one item refuses that item. What is wrong with the regions or the store fails the batch: nothing
 * of it is stored then, but in a store that makes each unit for itself.
 */
import { isDeepStrictEqual } from "node:util";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Sealing } from "../keys/key-sets.ts";
import type { Dependencies } from "../limits.ts";
import type { RecordRows } from "../stores/rows.ts";
import type { Store } from "../stores/store.ts";
import type { Epoch } from "../stores/gate.ts";
import type { NewVersion, Unit } from "../stores/units.ts";
import { parseId, parseSubject } from "./address.ts";
import type { Address, Collection, Subject, Version } from "./address.ts";
import { decodeDocument, encodeDocument } from "./document.ts";
import type { DocumentLimits, JsonObject } from "./document.ts";
import { afterVersion, newVersion } from "./new-version.ts";
import type { Current } from "./new-version.ts";
import { recordState } from "./read.ts";
import { makeUnits, messagesOf, newWriteId, requireUnitFits } from "./units.ts";
import type { MakeOptions, Settled } from "./units.ts";
import { openVersion } from "./version.ts";
import { connectionsLost, keySetMoved, recordContended, requireNotAborted, wrapSummary } from "./write.ts";
import type { WrapSummary } from "./write.ts";

/**
 * What to do with a record that is there already: a new version in any case, nothing, or a new version only when the
 * document (or a subject given) differs.
 */
export type OnExisting = "replace" | "keep" | "compare";

/** One document of a batch. */
export interface PutManyItem<Document = JsonObject> {
  readonly id: string;
  readonly document: Document;
  /** Whom the record is about. Left out: as it is; of a new record, its id. */
  readonly subject?: string;
}

/** How a batch is written. */
export interface PutManyOptions {
  readonly onExisting: OnExisting;
  readonly signal?: AbortSignal;
}

/** What became of one item of a batch. */
export type PutManyResult =
  | {
      readonly id: string;
      readonly outcome: "created" | "replaced";
      readonly version: number;
      readonly wraps: WrapSummary;
    }
  | { readonly id: string; readonly outcome: "unchanged" | "kept"; readonly version: number }
  | { readonly id: string; readonly outcome: "refused"; readonly code: VaultErrorCode; readonly detail: string };

/** Errors that are about one item. Every other one is about the regions or the store and fails the batch. */
const ABOUT_ONE_ITEM: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "id-invalid",
  "subject-invalid",
  "document-invalid",
  "document-too-large",
  "stored-document-invalid",
  "record-moved",
  "record-moved-collection",
  "record-moved-subject",
  "record-rolled-back",
  "record-tampered",
  "key-not-configured",
]);

interface Item {
  readonly index: number;
  readonly plaintext: Plaintext;
  readonly subject: Subject | null;
}

/** A document's bytes; or what is wrong with it, which matters only when it is to be written or compared. */
type Plaintext = { readonly bytes: Buffer } | { readonly refused: unknown };

/** All items of one id, in their order. */
interface Group {
  readonly address: Address;
  readonly items: readonly Item[];
}

/** What a group comes to: its items' results, and the unit that makes them true; null when nothing is to be written. */
interface Plan {
  readonly group: Group;
  readonly unit: Unit | null;
  /** At which it was sealed. */
  readonly epoch: Epoch;
  readonly results: readonly (readonly [index: number, result: PutManyResult])[];
}

/** `vault.putMany`. */
export async function putMany(
  dependencies: Dependencies,
  collection: Collection,
  items: readonly PutManyItem[],
  { onExisting, signal }: PutManyOptions,
): Promise<readonly PutManyResult[]> {
  const { limits, store } = dependencies;
  if (items.length > limits.batchItems) {
    throw new VaultError(
      "batch-too-large",
      `The batch has ${items.length} items; at most ${limits.batchItems} are allowed`,
    );
  }
  // Before the first await: from then on the caller may change what it has given.
  const given = groupById(collection, items, limits);
  try {
    requireFits(store, given.groups, onExisting);
    const results = await untilMade(dependencies, given.groups, { onExisting, signal });
    return inOrder(items.length, [...given.refused, ...results]);
  } finally {
    for (const { items: own } of given.groups)
      for (const { plaintext } of own) if ("bytes" in plaintext) plaintext.bytes.fill(0);
  }
}

interface Options {
  readonly onExisting: OnExisting;
  readonly signal: AbortSignal | undefined;
}

interface PlanOptions extends Options {
  readonly sealing: Sealing;
}

/**
 * Plans the groups and has them made, again and again until no other writer came in between. Only what lost, or was
 * sealed under a key set that is not in force any more, is sealed anew.
 */
async function untilMade(
  dependencies: Dependencies,
  groups: readonly Group[],
  options: Options,
): Promise<Plan["results"]> {
  const { store, keys, limits } = dependencies;
  const atomic = store.capabilities.atomicUnits > 1;
  const made: Plan[] = [];
  let waiting: readonly Plan[] = [];
  let open = groups;
  let isMoved = false;
  let isLost = false;
  for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
    const sealing = await keys.forWriting();
    const stale = waiting.filter(({ epoch }) => epoch !== sealing.epoch);
    const again = [...open, ...stale.map(({ group }) => group)];
    const planned = await planGroups(dependencies, again, { ...options, sealing });
    requireNotAborted(options.signal);
    waiting = [...waiting.filter((plan) => !stale.includes(plan)), ...planned];
    const kinds = await makePlans(store, waiting, { atomic, signal: options.signal });
    for (const plan of waiting) if (kinds.get(plan) === "made") made.push(plan);
    if (waiting.every((plan) => kinds.get(plan) === "made")) return made.flatMap(({ results }) => results);
    isMoved = [...kinds.values()].includes("gate-moved");
    isLost = [...kinds.values()].includes("void") && ![...kinds.values()].includes("conflict");
    if (isMoved) keys.moved();
    open = waiting.filter((plan) => IS_LOST[kinds.get(plan) ?? "void"]).map(({ group }) => group);
    waiting = waiting.filter((plan) => kinds.get(plan) === "not-made");
  }
  if (isLost) throw connectionsLost();
  throw isMoved ? keySetMoved() : recordContended("Other writers kept changing records of the batch");
}

/** Whether a plan is to be made anew: what it was made on has changed, or the writing of it was lost. */
const IS_LOST: Readonly<Record<Settled["kind"], boolean>> = {
  made: false,
  conflict: true,
  "gate-moved": true,
  "not-made": false,
  void: true,
};

/** What became of each plan. Where nothing is to be written, nothing is to be made. */
async function makePlans(
  store: Store,
  plans: readonly Plan[],
  options: MakeOptions,
): Promise<ReadonlyMap<Plan, Settled["kind"]>> {
  const kinds = new Map<Plan, Settled["kind"]>(plans.map((plan) => [plan, "made"]));
  const writing = plans.filter(({ unit }) => unit !== null);
  const units = writing.flatMap(({ unit }) => (unit === null ? [] : [unit]));
  const settled = units.length === 0 ? [] : await makeUnits(store, units, options);
  for (const [index, plan] of writing.entries()) kinds.set(plan, settled[index]?.kind ?? "void");
  return kinds;
}

async function planGroups(
  dependencies: Dependencies,
  groups: readonly Group[],
  options: PlanOptions,
): Promise<readonly Plan[]> {
  if (groups.length === 0) return [];
  const heads = await dependencies.store.records.heads(groups.map(({ address }) => address));
  return mapBounded(groups, dependencies.limits.batchConcurrency, (group, index) => {
    const head = heads[index];
    if (head === undefined) throw new VaultError("store-failed", "The store gave no answer for a record");
    return planGroup(dependencies, group, head, options);
  });
}

/**
 * That the store can make the batch as it is promised: before anything is sealed.
 *
 * @throws VaultError `batch-too-large`
 */
function requireFits(store: Pick<Store, "capabilities">, groups: readonly Group[], onExisting: OnExisting): void {
  const { atomicUnits } = store.capabilities;
  if (atomicUnits > 1 && groups.length > atomicUnits)
    throw new VaultError(
      "batch-too-large",
      `The batch has ${groups.length} records; the store takes at most ${atomicUnits} in one transaction`,
    );
  for (const { items } of groups) {
    const parts = items.flatMap(({ plaintext }) => ("bytes" in plaintext ? [plaintext.bytes] : []));
    // A record that is kept as it is gets one version at most, of whichever item comes first.
    if (onExisting === "keep") for (const part of parts) requireUnitFits(store, [part]);
    else requireUnitFits(store, parts);
  }
}

function groupById(
  collection: Collection,
  items: readonly PutManyItem[],
  limits: DocumentLimits,
): { readonly groups: readonly Group[]; readonly refused: Plan["results"] } {
  const groups = new Map<string, { readonly address: Address; readonly items: Item[] }>();
  const refused: (readonly [number, PutManyResult])[] = [];
  for (const [index, { id, document, subject }] of items.entries()) {
    try {
      const address = { collection, id: parseId(id) };
      const whom = subject === undefined ? null : parseSubject(subject);
      const item = { index, plaintext: encoded(document, limits), subject: whom };
      const known = groups.get(id);
      if (known === undefined) groups.set(id, { address, items: [item] });
      else known.items.push(item);
    } catch (error) {
      refused.push([index, refusal(id, error)]);
    }
  }
  return { groups: [...groups.values()], refused };
}

async function planGroup(
  dependencies: Dependencies,
  group: Group,
  head: RecordRows,
  { onExisting, signal, sealing }: PlanOptions,
): Promise<Plan> {
  const { address, items } = group;
  const versions: NewVersion[] = [];
  const results: (readonly [number, PutManyResult])[] = [];
  let current: Current | null = null;
  let document: JsonObject | null = null;
  for (const item of items) {
    try {
      current ??= { head: head.head, state: recordState(head), subject: null };
      const { id } = address;
      if (current.state.kind === "live" && onExisting !== "replace") {
        const { version }: { readonly version: Version } = current.state;
        if (onExisting === "keep") {
          results.push([item.index, { id, outcome: "kept", version }]);
          continue;
        }
        if (document === null) {
          const stored = await storedDocument(dependencies, address, signal);
          document = stored?.document ?? null;
          // Opened, and so proved: a write that inherits it need not open the message again.
          if (stored !== null && stored.version === version) current = { ...current, subject: stored.subject };
        }
        if (
          (item.subject ?? current.subject) === current.subject &&
          isDeepStrictEqual(decodeDocument(bytesOf(item)), document)
        ) {
          results.push([item.index, { id, outcome: "unchanged", version }]);
          continue;
        }
      }
      const outcome = current.state.kind === "live" ? "replaced" : "created";
      const plaintext = bytesOf(item);
      const next = await newVersion(dependencies, address, current, {
        plaintext,
        subject: item.subject,
        sealing,
        signal,
      });
      versions.push(next);
      results.push([item.index, { id, outcome, version: next.version, wraps: wrapSummary(next.wrapSet) }]);
      current = afterVersion(next);
      document = onExisting === "compare" ? decodeDocument(plaintext) : null;
    } catch (error) {
      results.push([item.index, refusal(address.id, error)]);
    }
  }
  const { epoch } = sealing;
  if (versions.length === 0) return { group, unit: null, epoch, results };
  requireUnitFits(dependencies.store, messagesOf(versions));
  const unit: Unit = { writeId: newWriteId(), address, base: head.head, change: { kind: "write", epoch, versions } };
  return { group, unit, epoch, results };
}

async function storedDocument(
  { store, keys }: Dependencies,
  address: Address,
  signal: AbortSignal | undefined,
): Promise<{ readonly document: JsonObject; readonly subject: Subject; readonly version: Version } | null> {
  const read = await store.records.read(address, null);
  const state = recordState(read);
  // Removed since its head was read: nothing to compare with; the commit will find the conflict.
  if (state.kind === "absent" || read.stored === null) return null;
  const { message, subject, version } = read.stored;
  const document = await openVersion(message, { ...address, subject, version }, { keys, signal });
  return { document, subject, version };
}

function encoded(document: JsonObject, limits: DocumentLimits): Plaintext {
  try {
    return { bytes: encodeDocument(document, limits) };
  } catch (refused) {
    return { refused };
  }
}

/**
 * What is stored, also for comparing: `-0` reads back as `0`, an object without a prototype with the usual one.
 *
 * @throws VaultError `document-invalid`, `document-too-large`
 */
function bytesOf({ plaintext }: Item): Buffer {
  if ("bytes" in plaintext) return plaintext.bytes;
  throw plaintext.refused;
}

/** @throws whatever is not about one item */
function refusal(id: string, error: unknown): PutManyResult {
  if (isVaultError(error) && ABOUT_ONE_ITEM.has(error.code))
    return { id, outcome: "refused", code: error.code, detail: error.message };
  throw error;
}

function inOrder(length: number, results: Plan["results"]): readonly PutManyResult[] {
  const ordered = new Array<PutManyResult>(length);
  for (const [index, result] of results) ordered[index] = result;
  return ordered;
}
