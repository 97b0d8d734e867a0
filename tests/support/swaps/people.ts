/**
 * The people of the trials: three of them, in thirty records of five collections. Each document names its record and its
 * step, so that one which is in the wrong place is known at sight.
 */
import type { AddressInput, JsonObject, Vault } from "@strongroom/vault";

export const PEOPLE = ["ada", "grace", "edith"] as const;
export type Person = (typeof PEOPLE)[number];

/** Tenants matter in `tenant` scope only: two people share one. */
export const TENANTS: Readonly<Record<Person, string>> = { ada: "north", grace: "north", edith: "south" };

/** What is declared of the collections. */
export const COLLECTIONS = {
  people: { subject: "id", tenant: { field: "tenant" } },
  orders: { subject: { field: "customer" }, tenant: { field: "tenant" } },
  patients: { subject: { field: "customer" }, ids: "sealed", tenant: { field: "tenant" } },
  letters: { subject: { field: "customer" }, tenant: { field: "tenant" } },
  settings: { subject: "none" },
} as const;
export type CollectionName = keyof typeof COLLECTIONS;

/** A record of the trials. */
export interface TrialRecord extends AddressInput {
  readonly collection: CollectionName;
  /** Null: it is about nobody. */
  readonly person: Person | null;
  readonly about: readonly Person[];
  /** Versions that it has. */
  readonly versions: number;
}

/** Thirty records, or the ten of them that have everything that there is. */
export function trialRecords(size: "small" | "full"): readonly TrialRecord[] {
  const each = <T>(make: (person: Person, index: number) => T): readonly T[] => PEOPLE.map(make);
  const several = size === "full" ? [1, 2, 3, 4] : [1];
  const about = (person: Person, others: readonly Person[] = []): Pick<TrialRecord, "person" | "about"> => ({
    person,
    about: others,
  });
  return [
    ...each((person) => ({ collection: "people", id: person, ...about(person), versions: 2 }) as const),
    ...several.flatMap((number) =>
      each((person) => ({
        ...({ collection: "orders", id: `${person}-order-${number}`, ...about(person) } as const),
        versions: number === 1 && person === "ada" ? 3 : 1,
      })),
    ),
    ...several.slice(0, 3).flatMap((number) =>
      each((person) => ({
        ...({ collection: "patients", id: `${person}-case-${number}@example.org`, ...about(person) } as const),
        versions: number === 1 && person === "grace" ? 2 : 1,
      })),
    ),
    { collection: "letters", id: "to-both", ...about("ada", ["grace"]), versions: 2 },
    ...(size === "full"
      ? ([
          { collection: "letters", id: "to-edith", ...about("edith", ["ada"]), versions: 1 },
          { collection: "letters", id: "to-all", ...about("grace", ["ada", "edith"]), versions: 1 },
        ] as const)
      : []),
    { collection: "settings", id: "colours", person: null, about: [], versions: 2 },
    ...(size === "full"
      ? ([
          { collection: "settings", id: "sizes", person: null, about: [], versions: 1 },
          { collection: "settings", id: "places", person: null, about: [], versions: 1 },
        ] as const)
      : []),
  ];
}

/** The document of a record's step: of no two is it the same. */
export function documentOf({ collection, id, person }: TrialRecord, step: number): JsonObject {
  const own = person === null ? {} : { customer: person, tenant: TENANTS[person] };
  return { ...own, secret: `what ${collection}/${id} holds at ${step}`, step };
}

/** Writes the steps of the records from the first on that is named, to the last that each has. */
export async function writeSteps(vault: Vault, records: readonly TrialRecord[], from: number): Promise<void> {
  for (const record of records) {
    const { about, versions } = record;
    for (let step = from; step <= versions; step++)
      await vault.put(record, documentOf(record, step), about.length === 0 ? {} : { about });
  }
}
