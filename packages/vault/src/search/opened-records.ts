/**
 * A collection's records, opened page by page, for whoever makes their tags or looks whether they fit. Of somebody who
 * is restricted too: they are found again when the restriction ends, and their unique values are theirs meanwhile.
 */
import { mapBounded } from "@strongroom/base/work";
import { envelopeFailure } from "../envelope-failure.ts";
import type { VaultErrorCode } from "../errors.ts";
import type { Tenant } from "../keys/subject-keys.ts";
import type { Dependencies } from "../limits.ts";
import { parseId } from "../records/address.ts";
import type { Address, Collection, Version } from "../records/address.ts";
import type { JsonObject } from "../records/document.ts";
import { failsTheList } from "../records/pages.ts";
import { recordState } from "../records/read.ts";
import { damaged, openVersion, storedAddress } from "../records/version.ts";
import type { ListedRecord } from "../stores/rows.ts";
import { tenantIn } from "./index-book.ts";

/** Records of one page. */
const PAGE = 64;

/** A record that was opened, or why it was not. */
export type OpenedRecord =
  | {
      readonly kind: "opened";
      readonly row: Address;
      readonly sealedId: Uint8Array | null;
      readonly version: Version;
      readonly document: JsonObject;
      readonly tenant: Tenant;
    }
  | { readonly kind: "unopened"; readonly id: string; readonly code: VaultErrorCode }
  /** It was removed since it was listed, or whom it is about was erased. */
  | { readonly kind: "gone" };

/** A page, and where the next one begins; null: it is the last. */
export interface OpenedPage {
  readonly records: readonly OpenedRecord[];
  readonly next: Uint8Array | null;
}

type Opening = Pick<Dependencies, "store" | "keys" | "subjectKeys" | "declarations" | "limits">;

/** @throws VaultError what is not wrong with one record alone: the regions', the stores' */
export async function openedPage(
  dependencies: Opening,
  collection: Collection,
  after: Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<OpenedPage> {
  const { store, limits } = dependencies;
  const rows = (await store.records.list(collection, { after, limit: PAGE })) ?? [];
  const records = await mapBounded(rows, limits.batchConcurrency, (row) =>
    opened(dependencies, collection, row, signal),
  );
  return { records, next: rows.length < PAGE ? null : (rows.at(-1)?.position ?? null) };
}

async function opened(
  dependencies: Opening,
  collection: Collection,
  { id, sealedId }: ListedRecord,
  signal: AbortSignal | undefined,
): Promise<OpenedRecord> {
  const { store, keys, subjectKeys } = dependencies;
  try {
    const row = { collection, id: parseId(id) };
    const read = await store.records.read(row, null);
    if (recordState(read).kind === "absent") return { kind: "gone" };
    const { stored } = read;
    if (stored === null) throw damaged(read);
    if (read.subjects.some(({ state }) => state === "erasing" || state === "erased")) return { kind: "gone" };
    const address = storedAddress(row, stored, subjectKeys);
    const document = await openVersion(stored.message, address, { keys, subjectKeys, signal });
    const tenant = await tenantIn(dependencies, collection, { stored, document }, signal);
    return { kind: "opened", row, sealedId, version: stored.version, document, tenant };
  } catch (error) {
    if (failsTheList(error)) throw error;
    const { code } = envelopeFailure(error);
    return { kind: "unopened", id, code: code === "id-invalid" ? "record-tampered" : code };
  }
}
