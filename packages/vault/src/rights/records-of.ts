/**
 * The records of one person, from the table that links people to them: what it costs hangs on how many there are, and
 * on nobody else's.
 */
import type { RightsParts } from "./parts.ts";
import { ownId } from "../subjects/subjects.ts";
import type { SubjectKeys } from "../keys/subject-keys.ts";
import type { Address, Collection, RecordId } from "../records/address.ts";
import type { SubjectId } from "../stores/subjects.ts";

/** A record of somebody. */
export interface RecordOf {
  readonly row: Address;
  /** The record's own id; null: its seal does not open. */
  readonly id: RecordId | null;
  /** Where the list goes on behind it. */
  readonly position: Uint8Array;
}

/** Records that are asked for at a time. */
const PAGE = 100;

/** One page; one more than asked for where there is a next one. */
export async function recordsPage(
  parts: Pick<RightsParts, "store" | "rowAddresses">,
  keys: SubjectKeys,
  person: SubjectId,
  page: { readonly after: Uint8Array | null; readonly limit: number },
): Promise<readonly RecordOf[]> {
  const found: RecordOf[] = [];
  for (const record of await parts.store.subjects.records(person, page)) {
    const row = { collection: record.collection as Collection, id: record.id as RecordId };
    const id = (await ownId(parts, keys, record, undefined)) as RecordId | null;
    found.push({ row, id, position: record.position });
  }
  return found;
}

/** All of them behind a place; null: from the first. */
export async function* recordsOf(
  parts: Pick<RightsParts, "store" | "rowAddresses">,
  keys: SubjectKeys,
  person: SubjectId,
  behind: Uint8Array | null,
): AsyncGenerator<RecordOf> {
  for (let after = behind; ;) {
    const found: readonly RecordOf[] = await recordsPage(parts, keys, person, { after, limit: PAGE });
    yield* found;
    const last = found.at(-1);
    if (last === undefined || found.length < PAGE) return;
    after = last.position;
  }
}
