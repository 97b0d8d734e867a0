/**
 * Writes many documents in one transaction. Items are taken in their order, also when an id comes twice: a batch gives
 * the same result as its items one by one, wherever an import cuts its batches.
 *
 * What is wrong with one item refuses that item. What is wrong with the regions or the store fails the batch, and
 * nothing of it is stored.
 */
import { isDeepStrictEqual } from "node:util";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { RecordRows, WriteChange } from "../store.ts";
import { parseId, parseSubject } from "./address.ts";
import type { Address, Collection, Subject, Version } from "./address.ts";
import { decodeDocument, encodeDocument } from "./document.ts";
import type { DocumentLimits, JsonObject } from "./document.ts";
import { afterChange, newVersion } from "./new-version.ts";
import type { Current } from "./new-version.ts";
import { recordState } from "./read.ts";
import { openVersion } from "./version.ts";
import { wrapSummary } from "./write.ts";
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

/** What a group comes to: its items' results, and the changes that make them true. */
interface Plan {
  readonly group: Group;
  readonly changes: readonly WriteChange[];
  readonly results: readonly (readonly [index: number, result: PutManyResult])[];
}

/** `vault.putMany`. */
export async function putMany(
  dependencies: Dependencies,
  collection: Collection,
  items: readonly PutManyItem[],
  { onExisting, signal }: PutManyOptions,
): Promise<readonly PutManyResult[]> {
  const { limits } = dependencies;
  if (items.length > limits.batchItems) {
    throw new VaultError(
      "batch-too-large",
      `The batch has ${items.length} items; at most ${limits.batchItems} are allowed`,
    );
  }
  // Before the first await: from then on the caller may change what it has given.
  const given = groupById(collection, items, limits);
  try {
    const results = await untilCommitted(dependencies, given.groups, { onExisting, signal });
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

/** Plans the groups and commits them, again and again until no other writer came in between. */
async function untilCommitted(
  dependencies: Dependencies,
  groups: readonly Group[],
  options: Options,
): Promise<Plan["results"]> {
  const { store, limits } = dependencies;
  let plans: Plan[] = [];
  let open = groups;
  for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
    const heads = await store.heads(open.map(({ address }) => address));
    const pairs = open.flatMap((group, index) => (heads[index] === undefined ? [] : [{ group, head: heads[index] }]));
    const made = await mapBounded(pairs, limits.batchConcurrency, ({ group, head }) =>
      planGroup(dependencies, group, head, options),
    );
    plans = [...plans, ...made];
    if (options.signal?.aborted === true) throw new VaultError("aborted", "The caller gave up; nothing was stored");
    const owners = plans.flatMap((plan) => plan.changes.map(() => plan));
    const result = await store.commit(plans.flatMap(({ changes }) => changes));
    if (result.kind === "committed") return plans.flatMap(({ results }) => results);
    // Only what lost against another writer is encrypted anew.
    const lost = new Set(result.conflicts.map((index) => owners[index]));
    open = plans.filter((plan) => lost.has(plan)).map(({ group }) => group);
    plans = plans.filter((plan) => !lost.has(plan));
  }
  throw new VaultError(
    "record-contended",
    "Other writers kept changing records of the batch; nothing of it was stored",
  );
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

async function planGroup(dependencies: Dependencies, group: Group, head: RecordRows, options: Options): Promise<Plan> {
  const { address, items } = group;
  const changes: WriteChange[] = [];
  const results: (readonly [number, PutManyResult])[] = [];
  let current: Current | null = null;
  let document: JsonObject | null = null;
  for (const item of items) {
    try {
      current ??= { head: head.head, state: recordState(head), subject: null };
      const { id } = address;
      if (current.state.kind === "live" && options.onExisting !== "replace") {
        const { version }: { readonly version: Version } = current.state;
        if (options.onExisting === "keep") {
          results.push([item.index, { id, outcome: "kept", version }]);
          continue;
        }
        if (document === null) {
          const stored = await storedDocument(dependencies, address, options.signal);
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
      const change = await newVersion(dependencies, address, current, {
        plaintext: bytesOf(item),
        subject: item.subject,
        signal: options.signal,
      });
      changes.push(change);
      results.push([item.index, { id, outcome, version: change.next.version, wraps: wrapSummary(change) }]);
      current = afterChange(change);
      document = options.onExisting === "compare" ? decodeDocument(bytesOf(item)) : null;
    } catch (error) {
      results.push([item.index, refusal(address.id, error)]);
    }
  }
  return { group, changes, results };
}

async function storedDocument(
  { store, keyring }: Dependencies,
  address: Address,
  signal: AbortSignal | undefined,
): Promise<{ readonly document: JsonObject; readonly subject: Subject; readonly version: Version } | null> {
  const read = await store.read(address, null);
  const state = recordState(read);
  // Removed since its head was read: nothing to compare with; the commit will find the conflict.
  if (state.kind === "absent" || read.stored === null) return null;
  const { message, subject, version } = read.stored;
  const document = await openVersion(message, { ...address, subject, version }, { keyring, signal });
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
