/**
 * To whom somebody's data was given, by the audit: every export that has read about them, of them alone or of a whole
 * collection. What the audit has forgotten is not among them.
 */
import type { AuditEvent, AuditPage, VaultAudit } from "../audit/view.ts";

/** An export that had something about somebody in it. */
export interface Recipient {
  readonly export: string;
  /** As whoever exported named them; null: they were not named, as in an export of a collection. */
  readonly recipient: string | null;
  readonly kind: "person" | "collection";
  readonly principal: string;
  readonly purpose: string | null;
  /** First and last entry: ISO 8601, UTC. */
  readonly from: string;
  readonly to: string;
  /** `untold`: it was begun, and nobody has said that it ended. */
  readonly outcome: "complete" | "interrupted" | "untold";
  /** Records of the person in it. */
  readonly records: readonly { readonly collection: string; readonly id: string; readonly version: number | null }[];
}

interface Draft extends Omit<Recipient, "records" | "outcome" | "kind" | "recipient" | "to"> {
  recipient: string | null;
  kind: Recipient["kind"];
  to: string;
  outcome: Recipient["outcome"];
  readonly records: Map<string, Recipient["records"][number]>;
}

const PAGE = 500;

/**
 * Oldest first.
 *
 * @throws VaultError `subject-unknown`, `subject-invalid`, `tenant-invalid`, `audit-unavailable`
 */
export async function recipientsOf(
  view: VaultAudit,
  name: string,
  tenant: { readonly tenant?: string },
): Promise<readonly Recipient[]> {
  const exports = new Map<string, Draft>();
  for await (const event of everyEvent((page) => view.whoRead(name, { ...tenant, ...page }))) add(exports, event);
  return [...exports.values()].map(({ records, ...one }) => ({ ...one, records: [...records.values()] }));
}

/** Entries of an export that tell what was given, or how it went. */
function add(exports: Map<string, Draft>, event: AuditEvent): void {
  const { export: id, action, result, principal, purpose, at } = event;
  if (id === null) return;
  const isOwn = action === "person-export";
  if (!isOwn && (!GIVING.has(action) || result !== "done")) return;
  // Refused before anything was given.
  if (isOwn && result !== "begun" && !exports.has(id)) return;
  const found: Draft = exports.get(id) ?? {
    ...{ export: id, recipient: null, kind: "collection", principal, purpose, from: at, to: at },
    outcome: "untold",
    records: new Map(),
  };
  exports.set(id, found);
  found.to = at;
  if (isOwn) {
    found.kind = "person";
    found.recipient ??= event.label;
    if (result !== "begun") found.outcome = result === "done" ? "complete" : "interrupted";
    return;
  }
  const { collection } = event;
  for (const { id: record, version } of event.records)
    if (record !== null && collection !== null)
      found.records.set(JSON.stringify([collection, record, version]), { collection, id: record, version });
}

const GIVING: ReadonlySet<string> = new Set(["read", "list", "history", "find"]);

/** All events of a question, oldest first. */
export async function* everyEvent(
  ask: (page: { order: "oldest"; limit: number; cursor?: string }) => Promise<AuditPage>,
): AsyncGenerator<AuditEvent> {
  for (let cursor: string | null = null; ;) {
    const page: AuditPage = await ask({ order: "oldest", limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    yield* page.events;
    if (page.next === null) return;
    cursor = page.next;
  }
}
