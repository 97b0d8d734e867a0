/**
 * Messages as they lie in the store, by their SHA-256: of each version of a record, the newest first.
 */
import { hash } from "node:crypto";
import type { Address, Version } from "../records/address.ts";
import type { RecordVersions, VersionRow } from "../stores/rows.ts";
import type { RecordStore } from "../stores/store.ts";

/** A message. */
export interface StoredMessage {
  readonly version: Version;
  readonly scheme: number;
  readonly sha256: Buffer;
}

/** A record's rows as they were read first, and the messages of all its versions. */
export interface StoredMessages {
  readonly rows: RecordVersions;
  readonly messages: readonly StoredMessage[];
}

const VERSIONS = 500;
/** Messages that are read at the same time. */
const AT_ONCE = 16;

/** @param between is called again and again: a record may have very many versions */
export async function storedMessages(
  records: Pick<RecordStore, "read" | "versions">,
  address: Address,
  between: () => Promise<void>,
): Promise<StoredMessages> {
  const messages: StoredMessage[] = [];
  const read = async ({ version, scheme }: VersionRow): Promise<StoredMessage | null> => {
    const { stored } = await records.read(address, version);
    return stored === null ? null : { version, scheme, sha256: hash("sha256", stored.message, "buffer") };
  };
  let rows = await records.versions(address, { before: null, limit: VERSIONS });
  const first = rows;
  while (rows.versions.length > 0) {
    for (let start = 0; start < rows.versions.length; start += AT_ONCE) {
      const some = await Promise.all(rows.versions.slice(start, start + AT_ONCE).map(read));
      for (const found of some) if (found !== null) messages.push(found);
      await between();
    }
    const before = rows.versions.at(-1)?.version ?? null;
    if (rows.versions.length < VERSIONS || before === null) break;
    rows = await records.versions(address, { before, limit: VERSIONS });
  }
  return { rows: first, messages };
}
