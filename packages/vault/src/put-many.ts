/**
 * Writes many documents in one transaction. Items are taken in their order, also when an id comes twice: a batch gives
 * the same result as its items one by one, wherever an import cuts its batches.
 *
 * What is wrong with one item refuses that item. What is wrong with the regions or the store fails the batch, and
 * nothing of it is stored.
 */
import { isDeepStrictEqual } from "node:util";
import { mapBounded } from "@strongroom/base/work";
import { parseId, parseSubject } from "./address.ts";
import type { Address, Collection, Subject } from "./address.ts";
import { decodeDocument, encodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";
import { VaultError } from "./errors.ts";
import type { VaultErrorCode } from "./errors.ts";
import { after, newVersion, wrapSummary } from "./new-version.ts";
import type { Current, Workings } from "./new-version.ts";
import { recordState } from "./record-state.ts";
import type { PutManyResult } from "./results.ts";
import { openVersion } from "./sealed-version.ts";
import type { RecordHead, RecordStore, WriteChange } from "./store.ts";

/**
 * What to do with a record that is there already: a new version in any case, nothing, or a new version only when the
 * document (or a subject given) differs.
 */
export type OnExisting = "replace" | "keep" | "compare";

export interface PutManyItem {
  readonly id: string;
  readonly document: JsonObject;
  readonly subject?: string;
}

export interface PutManyOptions {
  readonly onExisting: OnExisting;
  readonly signal?: AbortSignal;
}

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
  readonly document: JsonObject;
  readonly subject: Subject | null;
}

/** All items of one id, in their order. */
interface Group {
  readonly address: Address;
  readonly items: readonly Item[];
}

/** What a group comes to: its items' results, and the changes that make them true. */
interface Plan {
  readonly group: Group;
  readonly changes: readonly WriteChange[];
  readonly results: readonly (readonly [index: number, result: PutManyResult])[];
}

export async function putMany(
  workings: Workings,
  store: RecordStore,
  collection: Collection,
  items: readonly PutManyItem[],
  options: PutManyOptions,
): Promise<readonly PutManyResult[]> {
  const { limits } = workings;
  if (items.length > limits.batchItems) {
    throw new VaultError(
      "batch-too-large",
      `The batch has ${items.length} items; at most ${limits.batchItems} are allowed`,
    );
  }
  const { groups, refused } = group(collection, items);
  let plans: Plan[] = [];
  let open: readonly Group[] = groups;
  for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
    const heads = await store.heads(open.map(({ address }) => address));
    const pairs = open.flatMap((one, index) => (heads[index] === undefined ? [] : [{ one, head: heads[index] }]));
    const made = await mapBounded(pairs, limits.batchConcurrency, ({ one, head }) =>
      plan(workings, store, one, head, options),
    );
    plans = [...plans, ...made];
    if (options.signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was stored");
    const owners = plans.flatMap((one) => one.changes.map(() => one));
    const result = await store.commit(plans.flatMap(({ changes }) => changes));
    if (result.kind === "committed")
      return inOrder(items.length, [...refused, ...plans.flatMap(({ results }) => results)]);
    // Only what lost against another writer is encrypted anew.
    const lost = new Set(result.conflicts.map((index) => owners[index]));
    open = plans.filter((one) => lost.has(one)).map(({ group: one }) => one);
    plans = plans.filter((one) => !lost.has(one));
  }
  throw new VaultError(
    "record-contended",
    "Other writers kept changing records of the batch; nothing of it was stored",
  );
}

function group(
  collection: Collection,
  items: readonly PutManyItem[],
): { readonly groups: readonly Group[]; readonly refused: Plan["results"] } {
  const groups = new Map<string, { readonly address: Address; readonly items: Item[] }>();
  const refused: (readonly [number, PutManyResult])[] = [];
  for (const [index, { id, document, subject }] of items.entries()) {
    try {
      const address = { collection, id: parseId(id) };
      const item = { index, document, subject: subject === undefined ? null : parseSubject(subject) };
      const known = groups.get(id);
      if (known === undefined) groups.set(id, { address, items: [item] });
      else known.items.push(item);
    } catch (error) {
      refused.push([index, refusal(id, error)]);
    }
  }
  return { groups: [...groups.values()], refused };
}

async function plan(
  workings: Workings,
  store: RecordStore,
  one: Group,
  head: RecordHead,
  options: PutManyOptions,
): Promise<Plan> {
  const { address, items } = one;
  const changes: WriteChange[] = [];
  const results: (readonly [number, PutManyResult])[] = [];
  let current: Current | null = null;
  let document: JsonObject | null = null;
  for (const item of items) {
    try {
      current ??= { head: head.head, state: recordState(head), subject: head.subject };
      const { id } = address;
      if (current.state.kind === "live" && options.onExisting !== "replace") {
        const { version } = current.state;
        if (options.onExisting === "keep") {
          results.push([item.index, { id, outcome: "kept", version }]);
          continue;
        }
        document ??= await storedDocument(workings, store, address, options.signal);
        if (
          (item.subject ?? current.subject) === current.subject &&
          isDeepStrictEqual(asStored(item.document, workings), document)
        ) {
          results.push([item.index, { id, outcome: "unchanged", version }]);
          continue;
        }
      }
      const outcome = current.state.kind === "live" ? "replaced" : "created";
      const change = await newVersion(workings, address, current, {
        document: item.document,
        subject: item.subject,
        signal: options.signal,
      });
      changes.push(change);
      results.push([item.index, { id, outcome, version: change.next.version, wraps: wrapSummary(change) }]);
      current = after(change);
      document = options.onExisting === "compare" ? asStored(item.document, workings) : null;
    } catch (error) {
      results.push([item.index, refusal(address.id, error)]);
    }
  }
  return { group: one, changes, results };
}

async function storedDocument(
  { keyring }: Workings,
  store: RecordStore,
  address: Address,
  signal: AbortSignal | undefined,
): Promise<JsonObject | null> {
  const read = await store.read(address, null);
  const state = recordState(read);
  // Removed since its head was read: nothing to compare with; the commit will find the conflict.
  if (state.kind === "absent" || read.stored === null) return null;
  const { message, subject, version } = read.stored;
  return openVersion(message, { ...address, subject, version }, { keyring, signal });
}

/** As it will read back: `-0` becomes `0`, an object without a prototype gets the usual one. */
function asStored(document: JsonObject, { limits }: Workings): JsonObject {
  const bytes = encodeDocument(document, limits);
  try {
    return decodeDocument(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** @throws whatever is not about one item */
function refusal(id: string, error: unknown): PutManyResult {
  if (error instanceof VaultError && ABOUT_ONE_ITEM.has(error.code))
    return { id, outcome: "refused", code: error.code, detail: error.message };
  throw error;
}

function inOrder(length: number, results: Plan["results"]): readonly PutManyResult[] {
  const ordered = new Array<PutManyResult>(length);
  for (const [index, result] of results) ordered[index] = result;
  return ordered;
}
