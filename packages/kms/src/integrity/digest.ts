// The digest over the rows, as it is stored, when it is the audit that changes and not the rows.

import type { Kysely, Transaction } from "kysely";
import type { Head } from "../audit/log.ts";
import type { Sealer } from "../crypto/sealing.ts";
import { META, ROW_KEY, readMeta, writeMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { RowKeys } from "./row-mac.ts";
import { openDigest, sealDigest } from "./row-set.ts";
import type { RowDigest } from "./row-set.ts";

/** The keys of the rows' MACs; null if they do not open. */
export function openRowKeys(meta: ReadonlyMap<string, Uint8Array>, sealer: Sealer): RowKeys | null {
  const secret = sealer.open(meta.get(META.rowKey) ?? Buffer.alloc(0), ROW_KEY);
  return secret === null ? null : new RowKeys(secret);
}

/** Looks at the stored digest with its keys; null if no digest opens. */
async function withDigest<Result>(
  db: Kysely<Schema>,
  sealer: Sealer,
  look: (digest: RowDigest, keys: RowKeys) => Result | Promise<Result>,
): Promise<Result | null> {
  const meta = await readMeta(db);
  const keys = openRowKeys(meta, sealer);
  const stored = meta.get(META.rowDigest);
  try {
    const digest = keys === null || stored === undefined ? null : openDigest(keys, stored);
    return keys === null || digest === null ? null : await look(digest, keys);
  } finally {
    keys?.close();
  }
}

/** Where the audit ended when the rows were last written; null if no digest opens. */
export const digestPosition = (db: Kysely<Schema>, sealer: Sealer): Promise<Head | null> =>
  withDigest(db, sealer, ({ audit }) => audit);

/**
 * Binds the digest to another end of the audit, in the transaction that writes it. One that does not open is left as it
 * is, to be refused when the rows are read.
 */
export async function rebindDigest(trx: Transaction<Schema>, sealer: Sealer, audit: Head): Promise<void> {
  await withDigest(trx, sealer, (digest, keys) =>
    writeMeta(trx, { [META.rowDigest]: sealDigest(keys, { ...digest, audit }) }),
  );
}
