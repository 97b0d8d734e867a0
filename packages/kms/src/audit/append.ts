// Writing entries of the audit, in the transaction of what they record.

import { CompiledQuery } from "kysely";
import type { Transaction } from "kysely";
import { META } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import type { AuditChain, AuditEntry } from "./chain.ts";

// Fixed texts: building one anew for every entry would cost more than running it.
const UPDATE_HEAD = 'update "meta" set "value" = ? where "name" = ?';
const INSERT_ENTRY = 'insert into "audit" ("seq", "event", "mac") values (?, ?, ?)';

/** Writes `entries` of `chain`, and its new end. The chain goes on from them once they are committed. */
export async function appendEntries(
  trx: Transaction<Schema>,
  chain: AuditChain,
  entries: readonly AuditEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  for (const { seq, event, mac } of entries) await trx.executeQuery(CompiledQuery.raw(INSERT_ENTRY, [seq, event, mac]));
  await trx.executeQuery(CompiledQuery.raw(UPDATE_HEAD, [chain.head(entries), META.auditHead]));
}
