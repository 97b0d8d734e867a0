// Who plays the rows of the scopes. The people of the records that are there are two thousand; whoever writes about
// somebody new makes a person of each record.

import { rawAesKeyring, type Keyring } from "@strongroom/envelope";
import { openVault, type Scope, type Store, type Subject, type SubjectId } from "@strongroom/vault";

import { clearRecords, KEYRING, unitOf, vaultRecords, type Opening, type Records } from "../stores/contenders.ts";
import { COLLECTION, idOf } from "../stores/documents.ts";
import { keyStoreOpener } from "../stores/places.ts";
import type { WorkId } from "../stores/rows.ts";
import { atOnce } from "../stores/work.ts";
import { FEW_KEYS, PEOPLE, ROUND_TRIP_MS } from "./rows.ts";

type ScopeContenderId = Scope | "people";

export const SCOPE_CONTENDERS: Readonly<Record<ScopeContenderId, (opening: Opening) => Promise<Records>>> = {
  record: (opening) => openInScope("record", opening),
  subject: (opening) => openInScope("subject", opening),
  tenant: (opening) => openInScope("tenant", opening),
  people: ({ store, work }) =>
    clearRecords(store, (number, bytes, epoch) => {
      const unit = unitOf(number, bytes, epoch);
      if (unit.change.kind !== "write") return unit;
      const id = subjectIdOf(personOf(number, work));
      const versions = unit.change.versions.map(
        (version) => ({ ...version, scheme: 2, subject: id as string as Subject }) as const,
      );
      return { ...unit, change: { ...unit.change, versions, subjects: [{ id, scope: "subject", ordinal: 1 }] } };
    }),
};

async function openInScope(scope: Scope, { store, place, work }: Opening): Promise<Records> {
  const keys = await (await keyStoreOpener(place))();
  const keyring = work === "cold" ? delayed(rawAesKeyring(KEYRING)) : rawAesKeyring(KEYRING);
  const vault = await openVault({
    store,
    keyring,
    keys: { store: keys, scope, ...(work === "cold" ? { cache: { capacity: FEW_KEYS } } : {}) },
  });
  const records = vaultRecords(vault, (number) => ({ subject: nameOf(personOf(number, work)) }));
  if (work === "get")
    await atOnce(WARMING_AT_ONCE, Math.min(PEOPLE, await countOf(store)), (number) => records.get(number));
  return records;
}

/** Gets under way while everybody's key is brought into memory. */
const WARMING_AT_ONCE = 64;

async function countOf({ records }: Store): Promise<number> {
  return (await records.collections()).find(({ name }) => name === COLLECTION)?.records ?? 0;
}

/** Whom a record is about: one of the known people, or somebody who is in no other record. */
const personOf = (number: number, work: WorkId): number => (work === "newcomers" ? PEOPLE + number : number % PEOPLE);

const nameOf = (person: number): string => `person-${person}`;

/** An opaque id as a vault would have made it at random. */
function subjectIdOf(person: number): SubjectId {
  return `${idOf(person).slice(1)}-0000-4000-8000-${person.toString(16).padStart(12, "0")}` as SubjectId;
}

/** A keyring whose every call takes as long as one to a KMS. */
function delayed(keyring: Keyring): Keyring {
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ROUND_TRIP_MS));
  return {
    onEncrypt: async (...given) => {
      await wait();
      return keyring.onEncrypt(...given);
    },
    onDecrypt: async (...given) => {
      await wait();
      return keyring.onDecrypt(...given);
    },
  };
}
