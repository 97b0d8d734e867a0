/**
 * What a principal was given since a moment, by the audit: what a breach of their token may have let out (articles 33
 * and 34 of the GDPR). It says rather too much: an entry is written before anything is given, and what was given need
 * not have been received. What the principal was only told the ids of is told apart.
 */
import type { AuditEvent, VaultAudit } from "../audit/view.ts";
import { isVaultError } from "../errors.ts";
import { WITHOUT_KEY } from "../people-errors.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import { requireKeyStore } from "../records/version.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import { everyEvent } from "./recipients.ts";

/** Which entries. */
export interface ExposureOptions {
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly until?: string;
  /** Whether people are named: who gets the answer then reads personal data. Left out: not. */
  readonly names?: boolean;
}

/** A record that a principal was given, or was told of. */
export interface ExposedRecord {
  readonly collection: string;
  /** Null: its key is gone, or the entry was of an id that nobody could open. */
  readonly id: string | null;
  /** Versions whose content was given, ascending; empty: they were told that there is one. */
  readonly versions: readonly number[];
  readonly firstAt: string;
  readonly lastAt: string;
}

/** Somebody whom it was about. */
export interface ExposedPerson {
  /** The opaque id. */
  readonly id: string;
  /** Null: names were not asked for, or theirs is gone, as of who was erased. */
  readonly name: string | null;
  /** Whether content about them was given, or only that there is some. */
  readonly isContent: boolean;
}

/** What a principal was given. */
export interface Exposure {
  readonly principal: string;
  readonly since: string;
  readonly until: string | null;
  /** Entries that tell of it. */
  readonly entries: number;
  /** Entries whose parts do not open any more: what was given by those is not among the records. */
  readonly unopened: number;
  readonly records: readonly ExposedRecord[];
  readonly people: readonly ExposedPerson[];
}

/** Action -> whether it gives content, or only tells that there is some. */
const GIVING: Readonly<Record<string, "content" | "existence">> = {
  read: "content",
  find: "content",
  rectify: "content",
  list: "existence",
  history: "existence",
  "people-listed": "existence",
  "person-shown": "existence",
  "audit-read": "existence",
  state: "existence",
};

interface Draft {
  readonly collection: string;
  readonly id: string | null;
  readonly versions: Set<number>;
  readonly firstAt: string;
  lastAt: string;
}

/** `vault.rights.exposure`. @throws VaultError `vault-option-invalid`, `audit-unavailable` */
export async function exposureOf(
  view: VaultAudit,
  principal: string,
  { since, until, names = false }: ExposureOptions,
  subjectKeys: SubjectKeys | null,
): Promise<Exposure> {
  const records = new Map<string, Draft>();
  const people = new Map<string, boolean>();
  let [entries, unopened] = [0, 0];
  const query = { principal, since, ...(until === undefined ? {} : { until }) };
  for await (const event of everyEvent((page) => view.events({ ...query, ...page }))) {
    const gives = Object.hasOwn(GIVING, event.action) ? GIVING[event.action] : undefined;
    if (gives === undefined || event.result !== "done") continue;
    entries++;
    if (event.records.some(({ id }) => id === null)) unopened++;
    note(records, event, gives);
    for (const id of event.people) people.set(id, gives === "content" || people.get(id) === true);
  }
  const found = [...people].sort(([a], [b]) => (a < b ? -1 : 1));
  const named: ExposedPerson[] = [];
  for (const [id, isContent] of found) {
    const name = names && isSubjectId(id) ? await nameOf(requireKeyStore(subjectKeys), id) : null;
    named.push({ id, name, isContent });
  }
  return {
    ...{ principal, since, until: until ?? null, entries, unopened, people: named },
    records: [...records.values()].map((one) => ({ ...one, versions: [...one.versions].sort((a, b) => a - b) })),
  };
}

function note(records: Map<string, Draft>, { collection, records: told, at }: AuditEvent, gives: string): void {
  if (collection === null) return;
  for (const { id, version } of told) {
    const key = JSON.stringify([collection, id]);
    const found = records.get(key) ?? { collection, id, versions: new Set(), firstAt: at, lastAt: at };
    records.set(key, found);
    found.lastAt = at;
    if (gives === "content" && version !== null) found.versions.add(version);
  }
}

async function nameOf(keys: SubjectKeys, id: SubjectId): Promise<string | null> {
  try {
    return await keys.nameOf(id, undefined);
  } catch (error) {
    if (isVaultError(error) && WITHOUT_KEY.has(error.code)) return null;
    throw error;
  }
}
