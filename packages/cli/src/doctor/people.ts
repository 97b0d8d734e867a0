// Does everybody whom a record is about have a key, and whose keys are nobody's? The ids of people lie in both stores
// in one order: the two lists are read side by side, a page at a time. While services write, somebody may be in one and
// not yet in the other; whoever seems to be missing is therefore asked for again at the end.
import { startProgress } from "@strongroom/base/terminal/progress";
import { isVaultError, type KeyRows, type SubjectId, type SubjectRow, type SubjectRows } from "@strongroom/vault";
import { CliError } from "../errors.ts";
import { openToRead } from "../store/open.ts";
import { seenStores } from "../store/pair.ts";
import { type Check, type Finding, partsOf } from "./check.ts";

/** People of one question. */
const PAGE = 1000;
/** Longest time for the comparison, in milliseconds: then it says how far it came. */
const LONGEST_MS = 60_000;
/** People who are named. */
const MOST_NAMED = 20;
/** People who are asked for again. Beyond it the counts are what was seen. */
const MOST_SUSPECTED = 10_000;

/** What the lists have against each other. */
export interface Compared {
  /** People of the records who were compared. */
  readonly people: number;
  /** Whether both lists were read to their ends. */
  readonly isWhole: boolean;
  /** People of the records without a key and a name. */
  readonly keyless: readonly SubjectId[];
  /** Keys and names of nobody whom a record is about, or ever was. */
  readonly orphans: readonly SubjectId[];
}

/** The two lists. */
export interface PeopleLists {
  readonly subjects: Pick<SubjectRows, "list" | "get">;
  readonly keys: Pick<KeyRows, "people" | "erased">;
}

/** How long, and who hears of it. */
export interface CompareOptions {
  readonly signal: AbortSignal;
  readonly longestMs?: number;
  readonly onProgress?: (people: number) => void;
}

/** Reads both lists side by side. */
export async function comparePeople(
  { subjects, keys }: PeopleLists,
  { signal, longestMs = LONGEST_MS, onProgress = () => undefined }: CompareOptions,
): Promise<Compared> {
  const began = performance.now();
  const rows = inOrder<SubjectRow>(
    (after) => subjects.list({ after, limit: PAGE }),
    ({ id }) => id,
  );
  const owners = inOrder<SubjectId>(
    (after) => keys.people({ after, limit: PAGE }),
    (id) => id,
  );
  const suspects = { keyless: [] as SubjectId[], orphans: [] as SubjectId[] };
  let people = 0;
  let [row, owner] = [await rows.next(), await owners.next()];
  while (row !== null || owner !== null) {
    if (performance.now() - began > longestMs || suspects.keyless.length + suspects.orphans.length > MOST_SUSPECTED)
      break;
    signal.throwIfAborted();
    if (owner !== null && (row === null || owner < row.id)) {
      suspects.orphans.push(owner);
      owner = await owners.next();
      continue;
    }
    if (row === null) break;
    people++;
    if (people % PAGE === 0) onProgress(people);
    if (owner === row.id) owner = await owners.next();
    else if (hasKeys(row)) suspects.keyless.push(row.id);
    row = await rows.next();
  }
  const isWhole = row === null && owner === null;
  return { people, isWhole, ...(await askedAgain(suspects, { subjects, keys })) };
}

/** Who is being erased, or was, has none. */
const hasKeys = ({ state }: SubjectRow): boolean => state === "active" || state === "restricted";

async function askedAgain(
  { keyless, orphans }: Pick<Compared, "keyless" | "orphans">,
  { subjects, keys }: PeopleLists,
): Promise<Pick<Compared, "keyless" | "orphans">> {
  const found: { keyless: SubjectId[]; orphans: SubjectId[] } = { keyless: [], orphans: [] };
  for (const ids of chunks(orphans)) {
    const rows = await subjects.get(ids);
    found.orphans = found.orphans.concat(ids.filter((_, index) => rows[index] === null));
  }
  for (const id of keyless) {
    const rows = await subjects.get([id]);
    // The first who is not before this one.
    const owners = await keys.people({ after: before(id), limit: 1 });
    const erased = await keys.erased([id]);
    const isOpen = rows.some((row) => row !== null && hasKeys(row));
    if (isOpen && !owners.includes(id) && !erased.includes(true)) found.keyless.push(id);
  }
  return found;
}

/** The greatest text of an id's form that is before it, or near enough: nobody has an id that is no UUID. */
function before(id: SubjectId): SubjectId {
  const digits = id.replaceAll("-", "");
  const less = (BigInt(`0x${digits}`) - 1n).toString(16).padStart(32, "0");
  return less.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") as SubjectId;
}

function* chunks(ids: readonly SubjectId[]): Generator<readonly SubjectId[]> {
  for (let start = 0; start < ids.length; start += PAGE) yield ids.slice(start, start + PAGE);
}

/** A list that is read in pages, one after the other. */
function inOrder<Item>(
  page: (after: SubjectId | null) => Promise<readonly Item[]>,
  idOf: (item: Item) => SubjectId,
): { next(): Promise<Item | null> } {
  let items: readonly Item[] = [];
  let at = 0;
  let isLast = false;
  return {
    next: async () => {
      if (at === items.length && !isLast) {
        const last = items.at(-1);
        items = await page(last === undefined ? null : idOf(last));
        isLast = items.length < PAGE;
        at = 0;
      }
      return items[at++] ?? null;
    },
  };
}

/** Only of stores that are there, are of this version, and belong together. */
export const checkPeople: Check = async (subject) => {
  const parts = partsOf(subject);
  const { records, keys } = await seenStores(parts);
  if (typeof records === "string" || typeof keys === "string") return [];
  if (records.peer !== keys.vault || keys.peer !== records.vault) return [];
  const ends: (() => Promise<void>)[] = [];
  try {
    const recordStore = await openToRead(parts, "records");
    if (recordStore === null) return [];
    ends.push(() => recordStore.close());
    const keyStore = await openToRead(parts, "keys");
    if (keyStore === null) return [];
    ends.push(() => keyStore.close());
    const bar = startProgress(subject.terminal, { label: "comparing people", total: null });
    ends.push(async () => {
      bar.stop();
    });
    const compared = await comparePeople(
      { subjects: recordStore.store.subjects, keys: keyStore.store.keys },
      {
        signal: subject.signal,
        onProgress: (people) => {
          bar.update(people, people);
        },
      },
    );
    return peopleFindings(compared);
  } catch (error) {
    if (!(error instanceof CliError) && !isVaultError(error)) throw error;
    return [unread(error)];
  } finally {
    for (const end of ends.reverse()) await end();
  }
};

const WHAT = "People";

function unread({ message }: Error): Finding {
  return {
    what: WHAT,
    severity: "warning",
    detail: `the people of the two stores could not be compared: ${message}`,
    remedy: "Run strongroom doctor again when the stores answer.",
  };
}

/** What is said of the comparison. */
export function peopleFindings({ people, isWhole, keyless, orphans }: Compared): readonly Finding[] {
  const count = people.toLocaleString("en");
  const compared = isWhole
    ? `${count} compared`
    : `${count} compared, and not all: it took too long, or too much is wrong`;
  const found: Finding[] = [];
  if (keyless.length > 0)
    found.push({
      what: WHAT,
      severity: "failure",
      detail: `${compared}; ${named(keyless, "have records and no key")} [key-store-behind]`,
      remedy: "Restore a newer backup of the key store: their records cannot be opened without it.",
    });
  if (orphans.length > 0)
    found.push({
      what: "Keys of nobody",
      severity: "warning",
      detail: `${compared}; ${named(orphans, "have a key and no record")}`,
      remedy:
        "A write that did not end, as of a process that was killed, leaves such keys, and they harm nobody. Many of " +
        "them at once: the records were set back, or the key store is newer than they are.",
    });
  if (found.length > 0) return found;
  return [
    {
      what: WHAT,
      severity: isWhole ? "ok" : "warning",
      detail: isWhole ? `${compared}: everybody has a key` : compared,
    },
  ];
}

/** Ids say nothing of anybody. */
function named(ids: readonly SubjectId[], what: string): string {
  const rest = ids.length - MOST_NAMED;
  const list = ids.slice(0, MOST_NAMED).join(", ");
  return `${ids.length.toLocaleString("en")} ${what}: ${list}${rest > 0 ? `, and ${rest.toLocaleString("en")} more` : ""}`;
}
