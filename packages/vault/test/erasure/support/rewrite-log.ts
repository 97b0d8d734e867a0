/** A hand in the log's database: texts of entries become others, and so do the hashes of their leaves. */
import { leafHash } from "@strongroom/tlog/tree";
import type { MemoryAuditStorage } from "@strongroom/vault/memory";
import { logTablesOf } from "../../../src/stores/memory/log-tables.ts";

/** Answers how many were changed. */
export function rewriteEntries(storage: MemoryAuditStorage, change: (text: string) => string | null): number {
  const { entries } = logTablesOf(storage);
  let count = 0;
  for (const [index, entry] of entries.entries()) {
    const changed = entry.text === null ? null : change(Buffer.from(entry.text).toString("utf8"));
    if (changed === null) continue;
    const text = Buffer.from(changed, "utf8");
    const { action } = JSON.parse(changed) as { readonly action: string };
    entries[index] = { ...entry, text, action, leaf: leafHash(text) };
    count++;
  }
  return count;
}
