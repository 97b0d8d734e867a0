/**
 * Every record that a list of a collection has, each with the position before it.
 */
import { MAX_ID_BYTES } from "../records/address.ts";
import type { Collection } from "../records/address.ts";
import type { ListedRecord } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";

const PAGE = 500;

/** A record, and behind which position the list has it first. */
export interface Listed {
  readonly listed: ListedRecord;
  readonly before: Uint8Array | null;
}

export async function* listedRecords(
  records: Pick<RecordStore, "list">,
  collection: Collection,
  after: Uint8Array | null,
): AsyncGenerator<Listed> {
  let before = after;
  for (;;) {
    const page = (await records.list(collection, { after: before, limit: PAGE })) ?? [];
    for (const listed of page) {
      yield { listed, before };
      before = listed.position;
    }
    if (page.length < PAGE) return;
  }
}

/** What no vault would give a record is no id of one: nobody reads it. */
export const isNamed = ({ id }: Pick<ListedRecord, "id">): boolean =>
  id !== "" && id.isWellFormed() && Buffer.byteLength(id) <= MAX_ID_BYTES;
