/**
 * Writes many documents. Items are taken in their order, also when an id comes twice: a batch gives the same result as
 * its items one by one, wherever an import cuts its batches. All items of one id are one unit; all units are one
 * transaction, where the store can do that.
 *
 * What is wrong with one item refuses that item. What is wrong with the regions or the store fails the batch: nothing
 * of it is stored then, but in a store that makes each unit for itself.
 */
import type { Concerned } from "../audit/auditor.ts";
import type { DocumentSchema } from "../collections/schema.ts";
import { VaultError } from "../errors.ts";
import type { Dependencies } from "../limits.ts";
import type { Store } from "../stores/store.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { parseId } from "./address.ts";
import type { Collection, RecordId } from "./address.ts";
import { concerned } from "./asked.ts";
import type { Asked } from "./asked.ts";
import { planGroups, refusal } from "./batch-plan.ts";
import type {
  Group,
  Item,
  ItemResults,
  OnExisting,
  Plaintext,
  Plan,
  PlanOptions,
  PutManyResult,
} from "./batch-plan.ts";
import { encodeDocument } from "./document.ts";
import type { DocumentLimits, JsonObject } from "./document.ts";
import { sealingFor } from "./new-version.ts";
import { closedError, FreshTries, isClosed } from "./people.ts";
import type { Closed } from "./people.ts";
import { makeUnits, requireUnitFits } from "./units.ts";
import type { MakeOptions, Settled } from "./units.ts";
import { takenWhom } from "./whom.ts";
import type { WhomOptions } from "./whom.ts";
import { keySetMoved } from "./version.ts";
import { connectionsLost, recordContended, requireNotAborted, takenError } from "./write.ts";

/** One document of a batch. */
export interface PutManyItem<Document = JsonObject> extends WhomOptions {
  readonly id: string;
  readonly document: Document;
}

/** How a batch is written. */
export interface PutManyOptions {
  readonly onExisting: OnExisting;
  readonly signal?: AbortSignal;
}

/** Items of one id, before it is known where their row lies. */
interface TakenGroup {
  readonly id: RecordId;
  readonly items: Item[];
}

/** `vault.putMany`. */
export async function putMany(
  dependencies: Dependencies,
  collection: Collection,
  items: readonly PutManyItem[],
  { onExisting, signal }: PutManyOptions,
  asked: Asked,
): Promise<readonly PutManyResult[]> {
  asked.uses(collection);
  const { limits, store, rowAddresses } = dependencies;
  if (items.length > limits.batchItems) {
    throw new VaultError(
      "batch-too-large",
      `The batch has ${items.length} items; at most ${limits.batchItems} are allowed`,
    );
  }
  // Before the first await: from then on the caller may change what it has given.
  const given = groupById(dependencies, collection, items);
  try {
    requireFits(store, given.groups, onExisting);
    const rows = await rowAddresses.ofAll(
      collection,
      given.groups.map(({ id }) => id),
      signal,
    );
    const groups = given.groups.map(({ id, items: own }, index): Group => {
      const address = { collection, id };
      return { address, row: rows[index] ?? address, items: own };
    });
    const results = await untilMade(dependencies, collection, groups, { onExisting, asked, signal });
    if (results.some(([, { outcome }]) => outcome === "created" || outcome === "replaced"))
      rowAddresses.wrote(collection);
    const all = [...given.refused, ...results];
    await tellRefused(asked, groups, all);
    return inOrder(items.length, all);
  } finally {
    for (const { items: own } of given.groups)
      for (const { plaintext } of own) if ("bytes" in plaintext) plaintext.bytes.fill(0);
  }
}

async function tellRefused(asked: Asked, groups: readonly Group[], results: ItemResults): Promise<void> {
  if (!asked.isAudited) return;
  const records = new Map<number, Concerned>();
  for (const group of groups) {
    const record = concerned(group, null, null);
    for (const { index } of group.items) records.set(index, record);
  }
  const refused = results.flatMap(([index, result]) =>
    result.outcome === "refused" ? { code: result.code, record: records.get(index) ?? null } : [],
  );
  await asked.tellByCode("write", refused);
}

/** What was read of records that stay as they are. */
async function tellRead(asked: Asked, plans: readonly Plan[]): Promise<void> {
  const read = plans.flatMap((plan) => plan.read ?? []);
  if (read.length > 0) await asked.tellInParts("read", "done", read);
}

/**
 * Plans the groups and has them made, again and again until no other writer came in between. Only what lost, or was
 * sealed under a key set that is not in force any more, is sealed anew.
 */
async function untilMade(
  dependencies: Dependencies,
  collection: Collection,
  groups: readonly Group[],
  options: Omit<PlanOptions, "sealing" | "open" | "refused">,
): Promise<ItemResults> {
  const { store, keys, subjectKeys, indexes, cost, limits } = dependencies;
  const atomic = store.capabilities.atomicUnits > 1;
  const refused = new Map<Item, unknown>();
  const fresh = new FreshTries(subjectKeys);
  const made: Plan[] = [];
  let waiting: readonly Plan[] = [];
  let again = groups;
  let isMoved = false;
  let isLost = false;
  for (let attempt = 1; attempt <= limits.writeAttempts; attempt++) {
    const { sealing, open } = await sealingFor(dependencies, collection);
    const stale = waiting.filter(({ epoch }) => epoch !== sealing.epoch);
    const unplanned = [...again, ...stale.map(({ group }) => group)];
    const planned = await planGroups(dependencies, unplanned, { ...options, sealing, open, refused });
    requireNotAborted(options.signal);
    waiting = [...waiting.filter((plan) => !stale.includes(plan)), ...planned];
    const settled = await makePlans(store, waiting, { ...options, atomic });
    const kindOf = (plan: Plan): Settled["kind"] => settled.get(plan)?.kind ?? "void";
    for (const plan of waiting)
      if (kindOf(plan) === "made") {
        made.push(plan);
        for (const use of plan.uses) cost?.wrote(use);
      }
    if (waiting.every((plan) => kindOf(plan) === "made")) {
      await tellRead(options.asked, made);
      return made.flatMap(({ results }) => results);
    }
    const kinds = waiting.map(kindOf);
    isMoved = kinds.includes("gate-moved");
    isLost = kinds.includes("void") && !kinds.includes("conflict");
    if (isMoved) keys.moved();
    const left = waiting.filter((plan) => kindOf(plan) !== "made");
    const closed = await refuseClosed(store, left, [...settled.values()].filter(isClosed), { refused, fresh });
    for (const [plan, one] of settled)
      if (one.kind === "taken" && plan.newest !== null) refused.set(plan.newest, takenError(indexes, collection, one));
    const isOpen = (plan: Plan): boolean => IS_LOST[kindOf(plan)] || closed.has(plan);
    again = left.filter(isOpen).map(({ group }) => group);
    waiting = left.filter((plan) => !isOpen(plan));
  }
  if (isLost) throw connectionsLost();
  throw isMoved ? keySetMoved() : recordContended("Other writers kept changing records of the batch");
}

/**
 * Refuses the items that are about somebody who is closed, and answers which plans are to be made anew. A store need
 * tell of one of them only: who else of the batch is closed is asked at once, or each would cost another round.
 *
 * @throws VaultError `subject-key-set-back`
 */
async function refuseClosed(
  { subjects }: Pick<Store, "subjects">,
  plans: readonly Plan[],
  told: readonly Closed[],
  { refused, fresh }: { readonly refused: Map<Item, unknown>; readonly fresh: FreshTries },
): Promise<ReadonlySet<Plan>> {
  const again = new Set<Plan>();
  if (told.length === 0) return again;
  const closed = new Map<SubjectId, Closed>(told.map((one) => [one.id, one]));
  const ids = [...new Set(plans.flatMap(({ people }) => people.map(({ id }) => id)))];
  for (const row of await subjects.get(ids))
    if (row !== null && row.state !== "active" && !closed.has(row.id))
      closed.set(row.id, { kind: "subject-closed", id: row.id, state: row.state });
  const isTriedAnew = new Map([...closed].map(([id, one]) => [id, fresh.mayTryAnew(one)]));
  for (const plan of plans)
    for (const { item, id } of plan.people) {
      const one = closed.get(id);
      if (one === undefined) continue;
      again.add(plan);
      if (isTriedAnew.get(id) === true) continue;
      if (one.kind === "key-set-back") throw closedError(one);
      refused.set(item, closedError(one));
    }
  return again;
}

/** Whether a plan is to be made anew: what it was made on has changed, or the writing of it was lost. */
const IS_LOST: Readonly<Record<Settled["kind"], boolean>> = {
  made: false,
  conflict: true,
  "gate-moved": true,
  "not-made": false,
  void: true,
  taken: true,
  // Told of by refuseClosed.
  "subject-closed": false,
  "key-set-back": false,
};

/** What became of each plan. Where nothing is to be written, nothing is to be made. */
async function makePlans(
  store: Store,
  plans: readonly Plan[],
  options: MakeOptions,
): Promise<ReadonlyMap<Plan, Settled>> {
  const settled = new Map<Plan, Settled>(plans.map((plan) => [plan, { kind: "made" }]));
  const writing = plans.filter(({ unit }) => unit !== null);
  const units = writing.flatMap(({ unit, draft }) => (unit === null ? [] : [{ unit, draft }]));
  const results = units.length === 0 ? [] : await makeUnits(store, units, options);
  for (const [index, plan] of writing.entries()) settled.set(plan, results[index] ?? { kind: "void" });
  return settled;
}

/**
 * That the store can make the batch as it is promised: before anything is sealed.
 *
 * @throws VaultError `batch-too-large`
 */
function requireFits(store: Pick<Store, "capabilities">, groups: readonly TakenGroup[], onExisting: OnExisting): void {
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
  dependencies: Pick<Dependencies, "subjectKeys" | "limits" | "declarations">,
  collection: Collection,
  items: readonly PutManyItem[],
): { readonly groups: readonly TakenGroup[]; readonly refused: ItemResults } {
  const { schema } = dependencies.declarations.of(collection);
  const groups = new Map<string, TakenGroup>();
  const refused: (readonly [number, PutManyResult])[] = [];
  for (const [index, { id, document, ...whom }] of items.entries()) {
    try {
      const parsed = parseId(id);
      const stated = takenWhom(whom, dependencies);
      const item = { index, plaintext: encoded(document, dependencies.limits, schema), stated };
      const known = groups.get(id);
      if (known === undefined) groups.set(id, { id: parsed, items: [item] });
      else known.items.push(item);
    } catch (error) {
      refused.push([index, refusal(id, error)]);
    }
  }
  return { groups: [...groups.values()], refused };
}

function encoded(document: JsonObject, limits: DocumentLimits, schema: DocumentSchema | null): Plaintext {
  try {
    return { bytes: encodeDocument(document, limits, schema) };
  } catch (refused) {
    return { refused };
  }
}

function inOrder(length: number, results: ItemResults): readonly PutManyResult[] {
  const ordered = new Array<PutManyResult>(length);
  for (const [index, result] of results) ordered[index] = result;
  return ordered;
}
