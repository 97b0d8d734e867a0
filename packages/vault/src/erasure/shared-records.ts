/**
 * The records of a person by their rows, and those among them that are about others too.
 */
import type { Address, Collection, RecordId, Version } from "../records/address.ts";
import type { Store } from "../stores/store.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { SubjectId } from "../stores/subjects.ts";
import type { VersionRow } from "../stores/rows.ts";

/** Records, and versions, that are read at a time. */
const PAGE = 500;

/** A record of somebody, by its row. */
export interface PersonRecord {
  readonly row: Address;
  readonly isSealed: boolean;
}

/** All that have, or have had, a version about them and were not removed. */
export async function* recordsOfPerson(
  { subjects }: Pick<Store, "subjects">,
  id: SubjectId,
): AsyncGenerator<PersonRecord> {
  let after: Uint8Array | null = null;
  for (;;) {
    const found: Awaited<ReturnType<typeof subjects.records>> = await subjects.records(id, { after, limit: PAGE });
    for (const { collection, id: own, sealedId } of found)
      yield { row: { collection: collection as Collection, id: own as RecordId }, isSealed: sealedId !== null };
    after = found.at(-1)?.position ?? null;
    if (found.length < PAGE || after === null) return;
  }
}

/** How many records of somebody have a version that is about anybody else. */
export async function sharedRecords(store: Pick<Store, "subjects" | "records">, id: SubjectId): Promise<number> {
  let shared = 0;
  for await (const { row } of recordsOfPerson(store, id)) if (await isShared(store, row, id)) shared++;
  return shared;
}

async function isShared({ records }: Pick<Store, "records">, row: Address, id: SubjectId): Promise<boolean> {
  let before: Version | null = null;
  for (;;) {
    const page: { readonly versions: readonly VersionRow[] } = await records.versions(row, { before, limit: PAGE });
    const { versions } = page;
    for (const { scheme, subject, about } of versions)
      if (scheme === 2 && [subject, ...about].some((other) => isSubjectId(other) && other !== id)) return true;
    const last = versions.at(-1)?.version;
    // Rows that somebody changed may be in no order.
    if (versions.length < PAGE || last === undefined || (before !== null && last >= before)) return false;
    before = last;
  }
}
