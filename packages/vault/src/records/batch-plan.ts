/**
 * Plans the records of a batch: reads what is there, decides for each item what becomes of it, asks for all keys
 * together, and seals. What is wrong with one item refuses that item, and its record is planned anew without it.
 */
import { isDeepStrictEqual } from "node:util";
import { mapBounded } from "@strongroom/base/work";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Concerned, EntryDraft } from "../audit/auditor.ts";
import type { KeyUseOfWrite } from "../keys/cost.ts";
import type { KeyCall } from "../keys/key-work.ts";
import type { Sealing } from "../keys/key-sets.ts";
import type { Sealer } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import type { OpenIndex, Tagger } from "../search/tagger.ts";
import type { Epoch } from "../stores/gate.ts";
import type { RecordRows, StoredMessage } from "../stores/rows.ts";
import type { SubjectId, UnitSubject } from "../stores/subjects.ts";
import { MAX_UNIT_SUBJECTS } from "../stores/unit-people.ts";
import type { Unit } from "../stores/units.ts";
import type { Place, Version } from "./address.ts";
import { concerned, OVERTAKEN, untilNewest } from "./asked.ts";
import type { Asked, Newest } from "./asked.ts";
import { decodeDocument } from "./document.ts";
import type { JsonObject } from "./document.ts";
import { sealersFor, sealVersion, taggerFor, versionBefore } from "./new-version.ts";
import type { SealedNewVersion } from "./new-version.ts";
import { countRead, everybody, mentioned, provePeople } from "./people.ts";
import { requireConsents } from "./consent.ts";
import { MISPLACED, nextVersion, recordState } from "./read.ts";
import type { RecordState } from "./read.ts";
import { messagesOf, newWriteId, requireUnitFits } from "./units.ts";
import { openVersion, storedAddress } from "./version.ts";
import { concernOf, isAsBefore, isInherited } from "./whom.ts";
import type { Before, Concern, Stated } from "./whom.ts";
import { changeOf, wrapSummary } from "./write.ts";
import type { WrapSummary } from "./write.ts";

/**
 * What to do with a record that is there already: a new version in any case, nothing, or a new version only when the
 * document (or the people given) differ.
 */
export type OnExisting = "replace" | "keep" | "compare";

/** What became of one item of a batch. */
export type PutManyResult =
  | {
      readonly id: string;
      readonly outcome: "created" | "replaced";
      readonly version: number;
      /** As of a `put`. */
      readonly wraps: WrapSummary;
    }
  | { readonly id: string; readonly outcome: "unchanged" | "kept"; readonly version: number }
  | { readonly id: string; readonly outcome: "refused"; readonly code: VaultErrorCode; readonly detail: string };

/** Results by the index of their item. */
export type ItemResults = readonly (readonly [index: number, result: PutManyResult])[];

/** Errors that are about one item. Every other one is about the regions or the stores and fails the batch. */
export const ABOUT_ONE_ITEM: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "consent-missing",
  "id-invalid",
  "subject-invalid",
  "tenant-invalid",
  "document-invalid",
  "document-unfit",
  "document-too-large",
  "stored-document-invalid",
  ...MISPLACED,
  "key-not-configured",
  "subject-restricted",
  "subject-erased",
  "subject-differs",
  "subject-missing",
  "subject-name-absent",
  "subject-key-absent",
  "subject-key-tampered",
  "value-taken",
]);

/** A document's bytes; or what is wrong with it, which matters only when it is to be written or compared. */
export type Plaintext = { readonly bytes: Buffer } | { readonly refused: unknown };

/** One item of a batch, as it was at the call. */
export interface Item {
  readonly index: number;
  readonly plaintext: Plaintext;
  readonly stated: Stated;
}

/** All items of one id, in their order. */
export interface Group extends Place {
  readonly items: readonly Item[];
}

/** What a group comes to: its items' results, and the unit that makes them true; null when nothing is to be written. */
export interface Plan {
  readonly group: Group;
  readonly unit: Unit | null;
  /** The unit's entry in the audit. */
  readonly draft: EntryDraft | null;
  /** Of a record that stays as it is: what was read of it, for the audit. */
  readonly read: Concerned | null;
  /** At which it was sealed. */
  readonly epoch: Epoch;
  readonly results: ItemResults;
  /** To be counted when it is made. */
  readonly uses: readonly KeyUseOfWrite[];
  /** The item that its tags are of; null: nothing is to be written. */
  readonly newest: Item | null;
  /** Which items are about whom. */
  readonly people: readonly { readonly item: Item; readonly id: SubjectId }[];
}

export interface PlanOptions {
  readonly onExisting: OnExisting;
  readonly signal: AbortSignal | undefined;
  readonly asked: Asked;
  readonly sealing: Sealing;
  /** The indexes that are written at its epoch. */
  readonly open: readonly OpenIndex[];
  /** Items of which it turned out that they cannot be written, and why. More are added. */
  readonly refused: Map<Item, unknown>;
}

/** Plans of the groups, in no order. */
export async function planGroups(
  dependencies: Dependencies,
  groups: readonly Group[],
  options: PlanOptions,
): Promise<readonly Plan[]> {
  const { limits } = dependencies;
  const { asked } = options;
  const plans: Plan[] = [];
  using tagger = await taggerFor(dependencies, options.open, options.signal);
  let open = groups;
  // Each round refuses an item or is the last one.
  while (open.length > 0) {
    const now = open;
    const drafts = await untilNewest(() => draftGroups(dependencies, now, options));
    const sealers = await sealersFor(
      dependencies,
      drafts.flatMap(({ group, versions }) => versions.map(({ concern }) => ({ ...group, concern }))),
      asked,
      options.signal,
    );
    try {
      let taken = 0;
      const calls = asked.takeCalls();
      const withSealers = drafts.map((draft) => {
        const from = taken;
        taken += draft.versions.length;
        // Of keys that are opened and made together it is not known which call was for whom.
        const part = (index: number): number => Math.floor((calls.length * index) / sealers.length);
        return { draft, own: sealers.slice(from, taken), calls: calls.slice(part(from), part(taken)) };
      });
      const sealed = await mapBounded(withSealers, limits.batchConcurrency, async ({ draft, own, calls: told }) => ({
        group: draft.group,
        plan: await asked.noting(told, () => sealGroup(dependencies, draft, own, { ...options, tagger, calls: told })),
      }));
      for (const { plan } of sealed) if (plan !== null) plans.push(plan);
      open = sealed.filter(({ plan }) => plan === null).map(({ group }) => group);
    } finally {
      for (const sealer of sealers) if (!(sealer instanceof Error)) sealer[Symbol.dispose]();
    }
  }
  return plans;
}

/** Drafts of groups that are as the audit's log knows them; the items of others are refused. */
async function draftGroups(
  dependencies: Dependencies,
  groups: readonly Group[],
  options: PlanOptions,
): Promise<readonly Draft[] | typeof OVERTAKEN> {
  const { store, limits } = dependencies;
  const heads = await store.records.heads(groups.map(({ row }) => row));
  const drafts = await mapBounded(groups, limits.batchConcurrency, (group, index) => {
    const head = heads[index];
    if (head === undefined) throw new VaultError("store-failed", "The store gave no answer for a record");
    return draftGroup(dependencies, group, head, options);
  });
  const { asked, refused } = options;
  // Of what is refused nothing is told but that.
  const told = drafts.filter(({ versions, results }) => versions.length > 0 || results.some(([, one]) => isRead(one)));
  try {
    return (await asked.areNewest(told.map(newestOf))) ? drafts : OVERTAKEN;
  } catch (error) {
    refusal("", error);
  }
  // One of them is not: which, each is asked for itself.
  await mapBounded(told, limits.batchConcurrency, async (draft) => {
    try {
      await asked.areNewest([newestOf(draft)]);
    } catch (error) {
      refusal("", error);
      for (const item of draft.group.items) refused.set(item, error);
    }
  });
  return OVERTAKEN;
}

const newestOf = ({ group: { row }, head, found }: Draft): Newest => ({
  row,
  rows: head,
  version: found?.version ?? null,
  message: found?.message ?? null,
});

/** Whether a result tells what is there. */
const isRead = ({ outcome }: PutManyResult): boolean => outcome === "kept" || outcome === "unchanged";

/** A version that an item is to become. */
interface DraftedVersion {
  readonly item: Item;
  readonly version: Version;
  readonly outcome: "created" | "replaced";
  readonly plaintext: Buffer;
  readonly concern: Concern;
  /** Must prove whom it is about; null: nothing is inherited, or it is proved. */
  readonly toProve: StoredMessage | null;
}

interface Draft {
  readonly group: Group;
  readonly head: RecordRows;
  readonly versions: readonly DraftedVersion[];
  /** Of the items that write nothing. */
  readonly results: ItemResults;
  /** The version that is there; null: none, or it was not read. */
  readonly found: StoredMessage | null;
  /** Its people. */
  readonly mentioned: readonly UnitSubject[];
}

/** What becomes of each item of a group, before anything is sealed. */
async function draftGroup(
  dependencies: Dependencies,
  group: Group,
  head: RecordRows,
  { onExisting, signal, asked, refused }: PlanOptions,
): Promise<Draft> {
  const { address, row, items } = group;
  asked.concerns(group, null);
  const versions: DraftedVersion[] = [];
  const results: (readonly [number, PutManyResult])[] = [];
  let state: RecordState | null = null;
  let before: Before | null = null;
  let found: StoredMessage | null = null;
  let document: JsonObject | null = null;
  let isProved = false;
  for (const item of items) {
    try {
      if (refused.has(item)) throw refused.get(item);
      state ??= recordState(head);
      const { id } = address;
      if (state.kind === "live" && onExisting === "keep") {
        results.push([item.index, { id, outcome: "kept", version: state.version }]);
        continue;
      }
      if (onExisting === "replace") nextVersion(state);
      if (before === null) {
        found = await versionBefore(dependencies, row, state, signal);
        before = found === null ? { kind: "none" } : { kind: "stored", stored: found };
      }
      if (onExisting === "compare" && before.kind === "stored" && document === null) {
        document = await storedDocument(dependencies, row, before.stored, signal);
        // Opened, and so proved: a write that inherits from it need not open the message again.
        isProved = true;
      }
      const plaintext = bytesOf(item);
      const { stated } = item;
      const concern = await concernOf(dependencies, { address, stated, plaintext, before, signal });
      if (
        state.kind === "live" &&
        document !== null &&
        isDeepStrictEqual(decodeDocument(plaintext), document) &&
        (await isAsBefore(dependencies, concern, before, signal))
      ) {
        results.push([item.index, { id, outcome: "unchanged", version: state.version }]);
        continue;
      }
      const version = nextVersion(state);
      const outcome = state.kind === "live" ? "replaced" : "created";
      const isOpen = before.kind === "stored" && !isProved && isInherited(stated, before);
      const toProve = isOpen && before.kind === "stored" ? before.stored : null;
      versions.push({ item, version, outcome, plaintext, concern, toProve });
      state = { kind: "live", version };
      before = { kind: "planned", concern };
      document = onExisting === "compare" ? decodeDocument(plaintext) : null;
    } catch (error) {
      results.push([item.index, refusal(address.id, error)]);
    }
  }
  if (found !== null) asked.concerns(group, found);
  return { group, head, versions, results, found, mentioned: mentioned(row.collection, found) };
}

/** How a group is sealed. */
interface SealOptions extends PlanOptions {
  readonly tagger: Tagger | null;
  readonly calls: readonly KeyCall[];
}

/** Null: an item turned out to be refused, and the group is to be planned anew. */
async function sealGroup(
  dependencies: Dependencies,
  { group, head, versions, results: told, found, mentioned: before }: Draft,
  sealers: readonly (Sealer | Error)[],
  { signal, asked, sealing, refused, tagger, calls }: SealOptions,
): Promise<Plan | null> {
  const { epoch } = sealing;
  if (versions.length === 0) {
    const read = told.some(([, one]) => isRead(one)) ? concerned(group, found, head.head?.version ?? null) : null;
    return { group, unit: null, draft: null, read, epoch, results: told, uses: [], newest: null, people: [] };
  }
  const sealed: SealedNewVersion[] = [];
  const results = [...told];
  for (const [index, { item, toProve, outcome, ...draft }] of versions.entries()) {
    try {
      const sealer = sealers[index];
      if (sealer === undefined) throw new VaultError("encryption-failed", "The keys gave no answer for a record");
      if (sealer instanceof Error) throw sealer;
      const [proved, done] = await Promise.allSettled([
        toProve === null ? null : provePeople(dependencies, group.row, toProve, signal),
        sealVersion(dependencies, { ...group, ...draft, sealer, sealing, tagger, signal }),
      ]);
      if (done.status === "rejected") throw done.reason;
      if (proved.status === "rejected") throw proved.reason;
      await requireConsents(dependencies, group.row, done.value.next, asked);
      sealed.push(done.value);
      const wraps = wrapSummary(done.value.wrapSet);
      results.push([item.index, { id: group.address.id, outcome, version: draft.version, wraps }]);
    } catch (error) {
      // What is not about the item fails the batch.
      refusal(group.address.id, error);
      refused.set(item, error);
      return null;
    }
  }
  const next = sealed.map((version) => version.next);
  const place: Place = { address: group.address, row: group.row };
  const subjects = everybody([...sealed.flatMap((version) => version.people), ...before]);
  if (subjects.length > MAX_UNIT_SUBJECTS)
    throw new VaultError(
      "batch-too-large",
      `The batch's documents for one record are about ${subjects.length} people; at most ${MAX_UNIT_SUBJECTS} are allowed`,
    );
  requireUnitFits(dependencies.store, messagesOf(next));
  const writeId = newWriteId();
  const facts = { writeId, action: "write", ...place, previous: head.entry ?? null, versions: next } as const;
  const draft = await asked.draft(changeOf(facts), calls);
  const unit: Unit = {
    writeId,
    address: group.row,
    base: head.head,
    change: {
      kind: "write",
      epoch,
      versions: next,
      subjects,
      sealedId: sealed.at(-1)?.sealedId ?? null,
      tags: sealed.at(-1)?.tags,
    },
  };
  const people = versions.flatMap(({ item }, index) =>
    [...(sealed[index]?.people ?? []), ...before].map(({ id }) => ({ item, id })),
  );
  const newest = versions.at(-1)?.item ?? null;
  return { group, unit, draft, read: null, epoch, results, uses: sealed.map(({ use }) => use), newest, people };
}

async function storedDocument(
  dependencies: Dependencies,
  row: Group["row"],
  stored: StoredMessage,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { keys, subjectKeys } = dependencies;
  const address = storedAddress(row, stored, subjectKeys);
  const document = await openVersion(stored.message, address, { keys, subjectKeys, signal });
  countRead(dependencies, row, stored);
  return document;
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
export function refusal(id: string, error: unknown): PutManyResult {
  if (isVaultError(error) && ABOUT_ONE_ITEM.has(error.code))
    return { id, outcome: "refused", code: error.code, detail: error.message };
  throw error;
}
