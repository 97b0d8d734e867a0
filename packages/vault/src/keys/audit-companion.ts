/**
 * What the keys of people do for those of the audit (audit/audit-keys.ts), which lie in the same store: with a person's
 * first key theirs of the audit is made in one call, and when a person's key is read, it is read beside it.
 */
import type { AuditKeyOwner } from "../audit/audit-keys.ts";
import { isSubjectId } from "../stores/subjects.ts";
import type { KeyName, KeyStore } from "../stores/key-store.ts";
import { STORE_STREAM } from "../stores/outbox.ts";
import type { FreshKey, MadeAt } from "./region-wraps.ts";

/** The keys of the audit, as those of people know them. */
export interface AuditCompanion {
  /** A first audit key that is not in the store yet. Whoever has it wipes it. */
  make(owner: AuditKeyOwner, at: MadeAt): FreshKey;
  /** It is in the store. */
  made(fresh: FreshKey): void;
  /** Keys of these owners are being read: theirs of the audit are about to be wanted. Never throws. */
  readAlong(owners: readonly AuditKeyOwner[]): void;
}

/** Whose audit key goes with a key; null: none does. */
export function auditOwnerOf({ kind, owner }: KeyName): AuditKeyOwner | null {
  if (kind === "collection") return `collection:${owner}`;
  return (kind === "subject" || kind === "tenant-subject") && isSubjectId(owner) ? `person:${owner}` : null;
}

/** Whoever's key is read is about to be in an entry of the audit: no further round trip for that. */
export function readAuditKeys(audit: AuditCompanion | null, names: readonly KeyName[]): void {
  const owners = audit === null ? [] : names.flatMap((name) => auditOwnerOf(name) ?? []);
  if (owners.length > 0) audit?.readAlong([...new Set(owners)]);
}

/** Whether a key store has had an audit, and so the root of its keys. */
export async function hadAudit({ keys, checkpoint, outbox }: KeyStore): Promise<boolean> {
  const [note, [stream = null], { audit }] = await Promise.all([
    checkpoint.read(),
    outbox.streams([STORE_STREAM]),
    keys.counts(),
  ]);
  return note !== null || stream !== null || audit > 0;
}
