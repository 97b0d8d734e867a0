/**
 * What the trials of histories change: a few people with records of every kind, written in two steps. After the first
 * everything is in the audit's log; what the second wrote may wait in the outboxes yet. Each document names its record
 * and its version, so that an older one is known at sight.
 */
import type { AddressInput, JsonObject, Vault } from "@strongroom/vault";

/** What is declared of the collections. */
export const COLLECTIONS = {
  people: { subject: "id" },
  orders: { subject: { field: "customer" } },
  patients: { subject: { field: "customer" }, ids: "sealed" },
  letters: { subject: { field: "customer" } },
  notes: { subject: { field: "customer" }, scope: "record" },
  settings: { subject: "none" },
} as const;
export type CollectionName = keyof typeof COLLECTIONS;

export const PEOPLE = ["ada", "grace", "edith", "joan"] as const;
export type Person = (typeof PEOPLE)[number];

/** Who may not be read about since the second step. */
export const RESTRICTED: Person = "edith";

/** A record of the trials. */
export interface TrialRecord extends AddressInput {
  readonly collection: CollectionName;
  /** Null: it is about nobody. */
  readonly person: Person | null;
  readonly about: readonly Person[];
  /**
   * What each step did: how many versions it wrote, and whether it removed the record before them, or after them.
   */
  readonly steps: readonly [Step, Step];
}

interface Step {
  readonly removed?: "before" | "after";
  readonly writes: number;
}

const NOTHING: Step = { writes: 0 };

const record = (
  collection: CollectionName,
  id: string,
  people: readonly Person[],
  steps: readonly [Step, Step],
): TrialRecord => ({ collection, id, person: people[0] ?? null, about: people.slice(1), steps });

/** All of them. */
export const RECORDS: readonly TrialRecord[] = [
  record("people", "ada", ["ada"], [{ writes: 1 }, { writes: 1 }]),
  record("people", "grace", ["grace"], [{ writes: 1 }, NOTHING]),
  record("people", "joan", ["joan"], [NOTHING, { writes: 1 }]),
  record("orders", "ada-1", ["ada"], [{ writes: 2 }, { writes: 1 }]),
  record("orders", "grace-1", ["grace"], [{ writes: 1 }, { writes: 1 }]),
  record("orders", "edith-1", ["edith"], [{ writes: 2 }, NOTHING]),
  record("orders", "gone", ["grace"], [{ writes: 2 }, { writes: 0, removed: "after" }]),
  record("orders", "again", ["ada"], [{ writes: 2 }, { writes: 1, removed: "before" }]),
  record("patients", "case-1@example.org", ["ada"], [{ writes: 1 }, { writes: 1 }]),
  record("letters", "to-both", ["ada", "grace"], [{ writes: 1 }, { writes: 1 }]),
  record("notes", "ada-note", ["ada"], [{ writes: 1 }, { writes: 1 }]),
  record("notes", "grace-note", ["grace"], [{ writes: 1 }, NOTHING]),
  record("settings", "colours", [], [{ writes: 1 }, { writes: 1 }]),
];

export const nameOf = ({ collection, id }: AddressInput): string => `${collection}/${id}`;

/** The document of a version: of no two is it the same. */
export function documentOf(of: TrialRecord, version: number): JsonObject {
  const own = of.person === null ? {} : { customer: of.person };
  return { ...own, secret: `what ${nameOf(of)} holds at ${version}`, version };
}

/** What is true of a record when both steps are done. */
export interface Truth {
  readonly state: "live" | "removed" | "restricted";
  /** Numbers of its versions that there are. */
  readonly versions: readonly number[];
  /** The highest number that was ever used. */
  readonly last: number;
}

/** After so many steps. */
export function truthOf({ steps, person }: TrialRecord, done: 1 | 2 = 2): Truth {
  let versions: number[] = [];
  let last = 0;
  const remove = (): void => {
    versions = [];
  };
  for (const { removed, writes } of steps.slice(0, done)) {
    if (removed === "before") remove();
    for (let n = 0; n < writes; n++) versions.push(++last);
    if (removed === "after") remove();
  }
  const isRestricted = done === 2 && person === RESTRICTED;
  return { state: versions.length === 0 ? "removed" : isRestricted ? "restricted" : "live", versions, last };
}

/** So often a record is read in the first step: the audit's log keeps hashes of its tree from 256 entries on. */
const READS = 260;

/**
 * Does what one step is of all records. In the first one of them is read again and again; in the second somebody is
 * restricted, and everything is read once.
 */
export async function doStep(vault: Vault, step: 1 | 2): Promise<void> {
  for (const one of RECORDS) {
    const { removed, writes } = one.steps[step - 1]!;
    const from = step === 1 ? 0 : truthOf(one, 1).last;
    if (removed === "before") await vault.remove(one);
    for (let version = from + 1; version <= from + writes; version++)
      await vault.put(one, documentOf(one, version), one.about.length === 0 ? {} : { about: one.about });
    if (removed === "after") await vault.remove(one);
  }
  if (step === 1) {
    for (let n = 0; n < READS; n++) await vault.get({ collection: "people", id: "grace" });
    return;
  }
  await vault.subjects.restrict(RESTRICTED);
  for (const one of RECORDS) if (truthOf(one).state === "live") await vault.get(one);
}
