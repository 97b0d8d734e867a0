/**
 * Finds records by their fields. Tags only say which records may be meant: a tag can be moved to another record by
 * whoever writes to the database, so each is opened, and compared with what was looked for, before it is given out.
 * What is given out is told in the audit as reads are; what was looked for, and how much of it was found, besides.
 */
import { mapBounded } from "@strongroom/base/work";
import { shown } from "@strongroom/base/shown";
import type { ReleasedRead } from "../audit/auditor.ts";
import { parseTenant } from "../collections/declaration.ts";
import { isVaultError, VaultError } from "../errors.ts";
import type { VaultErrorCode } from "../errors.ts";
import { envelopeFailure } from "../envelope-failure.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import { parseId } from "../records/address.ts";
import type { Address, Collection, Place } from "../records/address.ts";
import { concerned, isOfOneRecord, OVERTAKEN, untilNewest } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { requireConsents } from "../records/consent.ts";
import type { JsonObject } from "../records/document.ts";
import { failsTheList } from "../records/pages.ts";
import type { DamagedRecord } from "../records/pages.ts";
import { requirePageLimit } from "../records/paging.ts";
import { answered, countRead, namesOf, requireOpenPeople } from "../records/people.ts";
import { recordState } from "../records/read.ts";
import type { VaultRecord } from "../records/read.ts";
import { damaged, openVersion, storedAddress } from "../records/version.ts";
import type { TaggedRecord } from "../stores/indexes.ts";
import { cursorBehind, positionBehind } from "./find-cursor.ts";
import { requireBook, tenantIn } from "./index-book.ts";
import type { IndexBook } from "./index-book.ts";
import { planFind, termsOf } from "./plan-find.ts";
import type { FindPlan } from "./plan-find.ts";
import { meets, parseQuery } from "./query.ts";
import type { Condition, FindQuery } from "./query.ts";

/** Which page of what is found, and of whose records. */
export interface FindOptions {
  /** `next` of the page before; left out: the first page. */
  readonly cursor?: string;
  /** Records that are opened for a page, 1 to 500; {@link DEFAULT_FIND_LIMIT} when left out. */
  readonly limit?: number;
  /** Whose records: as the collection declares it when left out; must be said where a field of the document says it. */
  readonly tenant?: string;
  readonly signal?: AbortSignal;
}

/** A page of what was found. It may have fewer records than its limit, or none, and have a next one still. */
export interface FindResult<Document = JsonObject> {
  readonly items: readonly VaultRecord<Document>[];
  /**
   * Records that have the tags and cannot be given: they are damaged, or somebody whom they are about is restricted.
   * Whether they are what was looked for is not known. Left out when there is none.
   */
  readonly withheld?: readonly DamagedRecord[] | undefined;
  /** Cursor of the next page, null on the last one. */
  readonly next: string | null;
}

/** How many records may be what is looked for. */
export interface FoundCount {
  /** So many at most: nothing was opened, and of ranges and beginnings more have the tags than meet the query. */
  readonly atMost: number;
  /** Whether there are more, which were not counted. */
  readonly isCapped: boolean;
}

/** How a query is answered. */
export interface FindExplanation {
  /** The indexes that are asked, and for how many tags each. A record must have a tag of each. */
  readonly indexes: readonly { readonly name: string; readonly fields: readonly string[]; readonly tags: number }[];
  /** Fields that only the opened records are compared by. All others are compared again, too. */
  readonly compared: readonly string[];
}

/** Records of a page when the caller names no number. */
export const DEFAULT_FIND_LIMIT = 20;

/** Most records of a page: each is opened, and all are one entry of the audit. */
const MAX_FIND_LIMIT = 500;

/** A count goes no further. */
const MOST_COUNTED = 10_000;

/** What is looked for, in which collection, of whose records. */
export interface Search {
  readonly book: IndexBook;
  readonly collection: Collection;
  readonly conditions: readonly Condition[];
  readonly tenant: Tenant;
}

/** `vault.find`. */
export async function find(
  dependencies: Dependencies,
  search: Search,
  { cursor, limit = DEFAULT_FIND_LIMIT, signal }: Omit<FindOptions, "tenant">,
  asked: Asked,
): Promise<FindResult> {
  requirePageLimit(limit, MAX_FIND_LIMIT);
  const { keys, rowAddresses } = dependencies;
  await keys.requireReader();
  await rowAddresses.requireKind(search.collection);
  return untilNewest(() => pageOf(dependencies, search, { cursor, limit, signal, asked }));
}

/** `vault.countFound`. */
export async function countFound(
  dependencies: Dependencies,
  search: Search,
  { signal }: Pick<FindOptions, "signal">,
  asked: Asked,
): Promise<FoundCount> {
  const { collection } = search;
  await dependencies.keys.requireReader();
  return untilNewest(async () => {
    const planned = await plannedNow(dependencies, search);
    if (planned === null) return counted(0);
    const { book } = search;
    const { plan } = planned;
    using tagger = await book.tagger(indexesOf(plan), signal);
    const terms = termsOf(plan, tagger, search.tenant);
    const records = await book.options.store.indexes.count({ collection, terms }, MOST_COUNTED);
    if (!(await isStill(search, planned))) return OVERTAKEN;
    return await counted(records);
  });

  async function counted(records: number): Promise<FoundCount> {
    await asked.tell("find", "done", { details: { fields: pathsOf(search), counted: records } });
    return { atMost: records, isCapped: records === MOST_COUNTED };
  }
}

/** `vault.explainFind`: reads no record. */
export async function explainFind(
  dependencies: Dependencies,
  collection: Collection,
  query: FindQuery,
  asked: Asked,
): Promise<FindExplanation> {
  const { tenant } = dependencies.declarations.of(collection);
  const of = { query, tenant: typeof tenant === "string" ? tenant : "any" };
  const search = searchOf(dependencies, collection, of, asked);
  const planned = await plannedNow(dependencies, search);
  return {
    indexes: (planned?.plan.terms ?? []).map(({ index: { definition }, forms }) => ({
      name: definition.name,
      fields: definition.fields.map(({ path }) => path),
      tags: forms.length,
    })),
    compared: planned?.plan.compared ?? [],
  };
}

/** Before the first await: from then on the caller may change what it has given. */
export function searchOf(
  { declarations, indexes }: Pick<Dependencies, "declarations" | "indexes">,
  collection: Collection,
  { query, tenant }: { readonly query: FindQuery; readonly tenant: string | undefined },
  asked: Asked,
): Search {
  asked.uses(collection);
  const declaration = declarations.of(collection);
  const book = requireBook({ indexes });
  const conditions = parseQuery(declaration, query);
  const { tenant: declared } = declaration;
  if (tenant === undefined && typeof declared !== "string")
    throw new VaultError("find-invalid", "It must be said of which tenant records are looked for (tenant)");
  const own = tenant === undefined ? (declared as Tenant) : parseTenant(tenant);
  return { book, collection, conditions, tenant: own };
}

/** A plan, and the list of indexes that it was made by. */
interface Planned {
  readonly plan: FindPlan;
  readonly epoch: number;
}

/**
 * Null: the collection has no record.
 *
 * @throws VaultError `find-invalid`, `index-not-ready`
 */
async function plannedNow(
  { store }: Pick<Dependencies, "store">,
  { book, collection, conditions }: Search,
): Promise<Planned | null> {
  for (const listed of [() => book.lastSeen(), () => book.list()]) {
    const list = await listed();
    const { open } = await book.openOf(collection, list);
    const plan = planFind(conditions, book.definitions(collection), open);
    if (plan !== null) return { plan, epoch: list.epoch };
  }
  const found = await store.records.list(collection, { after: null, limit: 1 });
  if (found === null || found.length === 0) return null;
  throw new VaultError("index-not-ready", `No index that finds these records of ${collection} is built yet`);
}

/**
 * Whether the indexes that were asked are those that there are: of one that was dropped meanwhile tags are gone, and
 * records that have them were not found.
 */
const isStill = async ({ book }: Search, { epoch }: Planned): Promise<boolean> => (await book.list()).epoch === epoch;

const indexesOf = ({ terms }: FindPlan): readonly FindPlan["terms"][number]["index"][] =>
  terms.map(({ index }) => index);

const pathsOf = ({ conditions }: Search): string => conditions.map(({ path }) => path).join(",");

interface PageOptions {
  readonly cursor: string | undefined;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly asked: Asked;
}

async function pageOf(
  dependencies: Dependencies,
  search: Search,
  { cursor, limit, signal, asked }: PageOptions,
): Promise<FindResult | typeof OVERTAKEN> {
  const { book, collection } = search;
  const planned = await plannedNow(dependencies, search);
  if (planned === null) {
    await asked.tell("find", "done", { details: { fields: pathsOf(search), found: 0 } });
    return { items: [], next: null };
  }
  const { plan } = planned;
  const after = cursor === undefined ? null : await positionBehind(book, search, cursor, signal);
  using tagger = await book.tagger(indexesOf(plan), signal);
  const terms = termsOf(plan, tagger, search.tenant);
  const rows = await book.options.store.indexes.find({ collection, terms, after, limit: limit + 1 });
  if (!(await isStill(search, planned))) return OVERTAKEN;
  const { batchConcurrency } = dependencies.limits;
  // What held of a page that was read before need not hold of this one.
  asked.readsAnew();
  const opening = { signal, asked };
  const hits = await mapBounded(rows.slice(0, limit), batchConcurrency, (row) =>
    hitOf(dependencies, search, row, opening),
  );
  const told = await asTold(hits, search, asked);
  if (told === OVERTAKEN) return OVERTAKEN;
  const items = told.flatMap((hit) => (hit.kind === "found" ? [hit.record] : []));
  const withheld = told.flatMap((hit) =>
    hit.kind === "withheld" ? [{ id: shown(hit.place.row.id), code: hit.code }] : [],
  );
  const details = { fields: pathsOf(search), compared: hits.length, found: items.length, withheld: withheld.length };
  await asked.tell("find", "done", { details });
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items,
    ...(withheld.length === 0 ? {} : { withheld }),
    next: await nextBehind(last?.position),
  };

  /** Under a key that is open already: that of an index which was asked. */
  async function nextBehind(position: Uint8Array | undefined): Promise<string | null> {
    const [index] = indexesOf(plan);
    if (position === undefined || index === undefined) return null;
    return cursorBehind(book, search, { position, version: index.version }, signal);
  }
}

/** What a record that has the tags comes to. */
type Hit =
  | { readonly kind: "found"; readonly record: VaultRecord; readonly read: ReleasedRead }
  /** It is gone, or not what was looked for, or nobody's any more. */
  | { readonly kind: "other" }
  | { readonly kind: "withheld"; readonly place: Place; readonly code: VaultErrorCode };

const OTHER: Hit = { kind: "other" };

async function hitOf(
  dependencies: Dependencies,
  search: Search,
  { id, sealedId }: TaggedRecord,
  opening: Pick<PageOptions, "signal" | "asked">,
): Promise<Hit> {
  // As the database has it, until it turns out to be an id.
  const row = { collection: search.collection, id } as Address;
  try {
    return await openedHit(dependencies, search, { collection: row.collection, id: parseId(id) }, sealedId, opening);
  } catch (error) {
    const { code } = envelopeFailure(error);
    if (failsTheList(error)) throw error;
    // Of whom is erased, nobody is told that there was anything.
    if (code === "subject-erased") return OTHER;
    return { kind: "withheld", place: { address: row, row }, code: code === "id-invalid" ? "record-tampered" : code };
  }
}

async function openedHit(
  dependencies: Dependencies,
  { conditions, tenant }: Search,
  row: Address,
  sealedId: Uint8Array | null,
  { signal, asked }: Pick<PageOptions, "signal" | "asked">,
): Promise<Hit> {
  const { store, keys, subjectKeys, rowAddresses } = dependencies;
  const read = await store.records.read(row, null);
  if (recordState(read).kind === "absent") return OTHER;
  const { stored } = read;
  if (stored === null) throw damaged(read);
  await requireOpenPeople(dependencies, row, read, stored, { signal, asked });
  await requireConsents(dependencies, row, stored, asked);
  const document = await openVersion(stored.message, storedAddress(row, stored, subjectKeys), {
    keys,
    subjectKeys,
    signal,
  });
  countRead(dependencies, row, stored);
  if (!conditions.every((condition) => meets(document, condition))) return OTHER;
  if ((await tenantIn(dependencies, row.collection, { stored, document }, signal)) !== tenant) return OTHER;
  const id = await rowAddresses.ownId(row, sealedId, signal);
  const address = { collection: row.collection, id };
  const { version, createdAt, message } = stored;
  const names = answered(await namesOf(dependencies, stored, signal));
  return {
    kind: "found",
    record: { ...address, ...names, version, createdAt, document },
    read: { ...concerned({ address, row }, stored, version), rows: read, message, kms: [] },
  };
}

/** Tells what is given out, and what is not: one record that was set back withholds no other one. */
async function asTold(hits: readonly Hit[], search: Search, asked: Asked): Promise<readonly Hit[] | typeof OVERTAKEN> {
  if (!asked.isAudited) return hits;
  const kms = asked.takeCalls();
  let given = hits;
  let isNewest: boolean;
  try {
    isNewest = await asked.released("read", readsOf(given, kms));
  } catch (error) {
    if (!isOfOneRecord(error) && !isClosedPerson(error)) throw error;
    const compared = await withoutDiffering(given, asked);
    if (compared === OVERTAKEN) return OVERTAKEN;
    given = compared;
    isNewest = await asked.released("read", readsOf(given, kms));
  }
  if (!isNewest) return OVERTAKEN;
  const withheld = given.flatMap((hit) =>
    hit.kind === "withheld" ? { code: hit.code, record: { ...concerned(hit.place, null, null), id: null } } : [],
  );
  await asked.tellByCode("find", withheld, { details: { fields: pathsOf(search) } });
  return given;
}

/** The calls of a KMS go with the first. */
const readsOf = (hits: readonly Hit[], kms: ReleasedRead["kms"]): readonly ReleasedRead[] =>
  hits
    .flatMap((hit) => (hit.kind === "found" ? [hit.read] : []))
    .map((read, index) => (index === 0 ? { ...read, kms } : read));

/** Somebody was restricted or erased, or has withdrawn a consent, since the record was read. */
const isClosedPerson = (error: unknown): boolean => isVaultError(error) && CLOSED.has(error.code);

const CLOSED: ReadonlySet<VaultErrorCode> = new Set<VaultErrorCode>([
  "consent-missing",
  "subject-erased",
  "subject-restricted",
]);

async function withoutDiffering(hits: readonly Hit[], asked: Asked): Promise<readonly Hit[] | typeof OVERTAKEN> {
  const problems = await asked.problemsOf(readsOf(hits, []));
  if (problems === OVERTAKEN) return OVERTAKEN;
  // Of people no question of the log tells: the records are read again.
  if (problems.every((code) => code === null)) return OVERTAKEN;
  const left = problems.values();
  return hits.map((hit) => {
    if (hit.kind !== "found") return hit;
    const code = left.next().value ?? null;
    const { row } = hit.read;
    return code === null ? hit : { kind: "withheld", place: { address: row, row }, code };
  });
}
