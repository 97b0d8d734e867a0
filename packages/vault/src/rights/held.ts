/**
 * What is held of somebody, without any of its content: which records, since when, for what, under which keys.
 */
import { endOf } from "../collections/period.ts";
import type { Declaration } from "../collections/declaration.ts";
import type { Collection, Version } from "../records/address.ts";
import { concerned } from "../records/asked.ts";
import type { Asked } from "../records/asked.ts";
import { DEFAULT_LIST_LIMIT, positionAfter } from "../records/pages.ts";
import type { ListOptions } from "../records/pages.ts";
import { page, requirePageLimit } from "../records/paging.ts";
import { peopleOf } from "../records/people.ts";
import { exceptedPurposes } from "../records/restrictions.ts";
import type { VersionRow } from "../stores/rows.ts";
import type { Scope, SubjectId, SubjectScope, SubjectState } from "../stores/subjects.ts";
import type { Named } from "../subjects/subjects.ts";
import { heldPerson } from "./parts.ts";
import type { RightsParts } from "./parts.ts";
import { recordsPage } from "./records-of.ts";
import type { RecordOf } from "./records-of.ts";

/** What is declared of a collection in which somebody has records. */
export interface HeldCollection {
  readonly collection: string;
  readonly scope: Scope;
  readonly purposes: readonly string[];
  /** As it is declared: a period of ISO 8601; null: records stay. */
  readonly retention: string | null;
  readonly recipients: readonly string[];
}

/** A record of somebody, unopened. */
export interface HeldRecord {
  readonly collection: string;
  /** Null: the record's id is sealed, and its seal does not open. */
  readonly id: string | null;
  /** The newest; null: the rows do not say it. */
  readonly version: number | null;
  /** Versions that are about the person, and when the first and the last of them were written: ISO 8601, UTC. */
  readonly versions: number;
  readonly since: string | null;
  readonly newestAt: string | null;
  /** How many others the newest version is about. */
  readonly others: number;
  /** False: the newest version is about others only. */
  readonly isAbout: boolean;
  /** When it has stayed as long as the collection declares, where that counts from when it was written. */
  readonly until: string | null;
}

/** What is held of somebody: a page of their records, with what is the same on each page. */
export interface PersonHeld {
  readonly state: SubjectState;
  /** Of who is restricted: for what they are read all the same. */
  readonly except: readonly string[];
  /** Versions of the person's keys that have sealed, of each scope; 0: none has. */
  readonly keys: Readonly<Record<SubjectScope, number>>;
  /** Those that the records of this page are in. */
  readonly collections: readonly HeldCollection[];
  readonly records: readonly HeldRecord[];
  readonly next: string | null;
}

const FORMAT = "held-1";
const VERSIONS_PAGE = 500;

/** `vault.rights.show`: also of who is restricted, for nothing of what is held is given out. */
export async function heldOf(
  parts: RightsParts,
  who: Named,
  { cursor, limit = DEFAULT_LIST_LIMIT }: ListOptions,
  asked: Asked,
): Promise<PersonHeld> {
  requirePageLimit(limit, parts.limits.listItems);
  const { row, keysOfPeople } = await heldPerson(parts, who, asked);
  const after = cursor === undefined ? null : positionAfter(FORMAT, row.id, cursor);
  const found = await recordsPage(parts, keysOfPeople, row.id, { after, limit: limit + 1 });
  const rows: (RecordOf & { readonly held: HeldRecord })[] = [];
  for (const one of found.slice(0, limit)) rows.push({ ...one, held: await recordHeld(parts, row.id, one) });
  await tellShown(rows, row.id, asked);
  const shown = page([...rows, ...found.slice(limit)], limit, {
    show: (one) => ({ item: one }),
    cursorAfter: ({ position }) => [FORMAT, row.id, Buffer.from(position).toString("base64url")],
  });
  const names = [...new Set(rows.map(({ row: { collection } }) => collection))].sort();
  return {
    state: row.state,
    except: row.state === "restricted" ? await exceptedPurposes(parts.store.notes, row.id) : [],
    keys: row.ordinals,
    collections: names.map((name) => heldCollection(parts.declarations.of(name))),
    records: rows.map(({ held }) => held),
    next: shown.next,
  };
}

function heldCollection({ collection, scope, purposes, rights }: Declaration): HeldCollection {
  const retention = rights.retention?.after.text ?? null;
  return { collection, scope, purposes: purposes ?? [], retention, recipients: rights.recipients };
}

async function recordHeld(
  { store, declarations }: RightsParts,
  person: SubjectId,
  { row, id }: RecordOf,
): Promise<HeldRecord> {
  const own: VersionRow[] = [];
  let newest: VersionRow | null = null;
  for (let before: Version | null = null; ;) {
    const { versions } = await store.records.versions(row, { before, limit: VERSIONS_PAGE });
    newest ??= versions[0] ?? null;
    for (const version of versions) if (isAbout(row.collection, version, person)) own.push(version);
    const last: VersionRow | undefined = versions.at(-1);
    if (last === undefined || versions.length < VERSIONS_PAGE || (before !== null && last.version >= before)) break;
    before = last.version;
  }
  const { retention } = declarations.of(row.collection).rights;
  const from = newest === null || retention?.from !== null ? null : Date.parse(newest.createdAt);
  return {
    collection: row.collection,
    id,
    version: newest?.version ?? null,
    versions: own.length,
    since: own.at(-1)?.createdAt ?? null,
    newestAt: own[0]?.createdAt ?? null,
    others: newest === null ? 0 : everybodyOf(row.collection, newest).filter((one) => one !== person).length,
    isAbout: newest !== null && isAbout(row.collection, newest, person),
    until: retention === null || from === null ? null : new Date(endOf(retention.after, from)).toISOString(),
  };
}

const isAbout = (collection: Collection, version: VersionRow, person: SubjectId): boolean =>
  everybodyOf(collection, version).includes(person);

/** Of rows that name what is no person, nobody: this shows what the rows say, and proves nothing. */
function everybodyOf(collection: Collection, version: VersionRow): readonly SubjectId[] {
  if (version.scheme === 1) return [];
  try {
    return peopleOf(collection, version);
  } catch {
    return [];
  }
}

/** At least one entry, also where nothing is held. */
async function tellShown(rows: readonly RecordOf[], person: SubjectId, asked: Asked): Promise<void> {
  const concernedBy = rows.map(({ row, id }) => {
    const place = { row, address: id === null ? row : { ...row, id } };
    const whom = { version: 1 as Version, scheme: 2, subject: person as never, about: [] } as const;
    return { ...concerned(place, whom, null), id };
  });
  for (let start = 0; start === 0 || start < rows.length; start += ENTRY)
    await asked.tell("person-shown", "done", { people: [person], concerned: concernedBy.slice(start, start + ENTRY) });
}

const ENTRY = 500;
