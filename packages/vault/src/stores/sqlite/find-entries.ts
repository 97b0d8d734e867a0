/**
 * Entries by what they are found by. Each query goes along one index, in the order of positions, and stops when its
 * page is full; of moments it is known which stretches of the log have any.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { LogPage, LogQuery, LogRow } from "../audit-log.ts";
import { ownerValue } from "./key-columns.ts";
import { LOG_COLUMNS, logRowOf, SPAN } from "./read-log.ts";
import type { LogColumns } from "./read-log.ts";
import { statement } from "./statements.ts";
import type { Connection, Statement } from "./statements.ts";

/** A stretch of the log, both ends in it. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What a row must be besides; null: anything. */
interface Conditions {
  readonly principal: string | null;
  readonly action: string | null;
  readonly collection: string | null;
  readonly since: number;
  readonly until: number;
}

interface FindValues extends Stretch, Conditions {
  readonly person: Uint8Array | string | null;
  readonly limit: number;
}

type Find = Statement<FindValues, LogColumns>;

/** Along which index. */
type Way = "person" | "principal" | "action" | "position";

const find = (way: Way, order: LogPage["order"]): Find =>
  statement((db, values: FindValues) => {
    const position = sql.raw(way === "person" ? "entry_people.position" : "entries.position");
    const from: Readonly<Record<Way, RawBuilder<unknown>>> = {
      person: sql`entry_people cross join entries on entries.position = entry_people.position
        where entry_people.person = ${values.person}`,
      principal: sql`entries indexed by entries_principal where entries.principal = ${values.principal}`,
      action: sql`entries indexed by entries_action where entries.action = ${values.action}`,
      position: sql`entries not indexed where true`,
    };
    return sql<LogColumns>`
      select ${LOG_COLUMNS} from ${from[way]}
        and ${position} between ${values.from} and ${values.to}
        and entries.at >= ${values.since} and entries.at < ${values.until}
        and (${values.principal} is null or entries.principal = ${values.principal})
        and (${values.action} is null or entries.action = ${values.action})
        and (${values.collection} is null or entries.collection = ${values.collection})
      order by ${position} ${sql.raw(order === "oldest" ? "asc" : "desc")}
      limit ${values.limit}`.compile(db);
  });

const FIND: Readonly<Record<Way, Readonly<Record<LogPage["order"], Find>>>> = {
  person: { oldest: find("person", "oldest"), newest: find("person", "newest") },
  principal: { oldest: find("principal", "oldest"), newest: find("principal", "newest") },
  action: { oldest: find("action", "oldest"), newest: find("action", "newest") },
  position: { oldest: find("position", "oldest"), newest: find("position", "newest") },
};

const LAST = Number.MAX_SAFE_INTEGER;

/** Entries of the query behind a position, in the order of the page. */
export function findEntries(connection: Connection, query: LogQuery, page: LogPage): readonly LogRow[] {
  const { people, principal = null, action = null, collection = null, since, until } = query;
  const conditions: Conditions = {
    principal,
    action,
    collection,
    since: since === undefined ? -LAST : Date.parse(since),
    until: until === undefined ? LAST : Date.parse(until),
  };
  const { order, after, limit } = page;
  const all: Stretch =
    order === "oldest"
      ? { from: after === null ? 0 : after + 1, to: LAST }
      : { from: 0, to: after === null ? LAST : after - 1 };
  const stretches = since === undefined && until === undefined ? [all] : stretchesOf(connection, conditions, all);
  const inOrder = order === "oldest" ? stretches : stretches.toReversed();
  const along = (way: Way, person: Uint8Array | string | null): readonly LogRow[] => {
    const found: LogRow[] = [];
    for (const stretch of inOrder) {
      if (found.length >= limit) break;
      const values = { ...conditions, ...stretch, person, limit: limit - found.length };
      for (const row of connection.all(FIND[way][order], values)) found.push(logRowOf(row));
    }
    return found;
  };
  const rest = action === null ? "position" : "action";
  if (people === undefined) return along(principal === null ? rest : "principal", null);
  // Of each the first ones: all that a page of all of them can have.
  const found = [...new Set(people)].flatMap((person) => along("person", ownerValue(person)));
  const sign = order === "oldest" ? 1 : -1;
  const once = new Map(found.map((row) => [row.position, row]));
  return [...once.values()].sort((a, b) => sign * (a.position - b.position)).slice(0, limit);
}

const SPANS = statement((db, { since, until, from, to }: Stretch & Pick<Conditions, "since" | "until">) =>
  db
    .selectFrom("spans")
    .where("span", ">=", sql<number>`${from}`)
    .where("span", "<=", sql<number>`${to}`)
    .where("greatest", ">=", since)
    .where("least", "<", until)
    .select(sql<number>`span`.as("span"))
    .orderBy("span")
    .compile(),
);

/** Where entries of these moments may be, as few stretches as it takes. */
function stretchesOf(
  connection: Connection,
  { since, until }: Pick<Conditions, "since" | "until">,
  { from, to }: Stretch,
): readonly Stretch[] {
  const found: Stretch[] = [];
  const spans = { from: Math.floor(from / SPAN), to: Math.floor(to / SPAN) };
  for (const { span } of connection.each(SPANS, { since, until, ...spans })) {
    const own = { from: Math.max(from, span * SPAN), to: Math.min(to, span * SPAN + SPAN - 1) };
    const before = found.at(-1);
    if (before?.to === own.from - 1) found[found.length - 1] = { from: before.from, to: own.to };
    else found.push(own);
  }
  return found;
}
