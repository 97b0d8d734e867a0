/**
 * What is asked of the log: pages of events. A cursor names the position behind which a page goes on, so that what is
 * added meanwhile moves nothing.
 */
import { VaultError } from "../errors.ts";
import { cursorInvalid, decodeCursor, page, requirePageLimit } from "../records/paging.ts";
import type { AuditLog, LogQuery } from "../stores/audit-log.ts";
import type { AuditKeys } from "./audit-keys.ts";
import { eventsOf, readEntries } from "./events.ts";
import type { AuditPage, AuditQuery } from "./view.ts";

const DEFAULT_LIMIT = 100;
const MOST = 500;

/**
 * A page of events.
 *
 * @param people only entries with a part under one of these keys
 * @throws VaultError `limit-invalid`, `cursor-invalid`, `vault-option-invalid`; `record-tampered`; the stores'
 */
export async function eventPage(
  { log, keys }: { readonly log: Pick<AuditLog, "find">; readonly keys: Pick<AuditKeys, "openParts"> },
  { order = "newest", cursor, limit = DEFAULT_LIMIT, ...query }: AuditQuery,
  people?: readonly string[],
): Promise<AuditPage> {
  requireQuery({ order, limit, ...(cursor === undefined ? {} : { cursor }), ...query });
  const after = cursor === undefined ? null : readCursor(cursor, order);
  const found = await log.find(logQuery(query, people), { order, after, limit: limit + 1 });
  const { items, next } = page(found, limit, {
    show: (row) => ({ item: row }),
    cursorAfter: ({ position }) => [order, String(position)],
  });
  return { events: await eventsOf(readEntries(items), keys), next };
}

/**
 * That a question can be asked, before it is told in the audit: what it names stands there in clear.
 *
 * @throws VaultError `limit-invalid`, `cursor-invalid`, `vault-option-invalid`
 */
export function requireQuery({ order = "newest", cursor, limit = DEFAULT_LIMIT, ...query }: AuditQuery): void {
  requirePageLimit(limit, MOST);
  if (cursor !== undefined) readCursor(cursor, order);
  logQuery(query);
}

/** How what is asked for looks, where there is any of it. */
const ASKED_FOR = {
  principal: /^[A-Za-z0-9._:@/+=-]{1,128}$/,
  action: /^[a-z][a-z-]{0,63}$/,
  collection: /^[a-z][a-z0-9_-]{0,62}$/,
} as const;

/** @throws VaultError `vault-option-invalid` */
export function logQuery(
  { principal, action, collection, since, until }: Omit<AuditQuery, "order" | "cursor" | "limit">,
  people?: readonly string[],
): LogQuery {
  const named = { principal, action, collection };
  for (const name of Object.keys(ASKED_FOR) as (keyof typeof ASKED_FOR)[]) {
    const value: unknown = named[name];
    if (value !== undefined && (typeof value !== "string" || !ASKED_FOR[name].test(value)))
      throw new VaultError("vault-option-invalid", `${name} is not one`);
  }
  return {
    ...(people === undefined ? {} : { people }),
    ...(principal === undefined ? {} : { principal }),
    ...(action === undefined ? {} : { action }),
    ...(collection === undefined ? {} : { collection }),
    ...(since === undefined ? {} : { since: moment(since) }),
    ...(until === undefined ? {} : { until: moment(until) }),
  };
}

/** As entries have theirs: with its milliseconds. @throws VaultError `vault-option-invalid` */
function moment(given: unknown): string {
  const text = typeof given === "string" && MOMENT.test(given) ? given : "";
  const at = new Date(text);
  // The last day of another month is no day of this one.
  if (!Number.isNaN(at.getTime()) && at.toISOString().slice(0, 16) === text.slice(0, 16)) return at.toISOString();
  throw new VaultError("vault-option-invalid", "since and until are moments as 2026-01-31T12:00:00.000Z");
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z$/;

function readCursor(cursor: string, order: string): number {
  const [of, position = "", ...more] = decodeCursor(cursor);
  if (of !== order || more.length > 0 || !/^\d{1,15}$/.test(position)) throw cursorInvalid();
  return Number(position);
}
