/**
 * The people of a unit, within the writer's transaction: may they be written about, and what is noted of them. Nobody
 * else writes meanwhile, so that a state that is read here is the one at the commit.
 */
import type { SubjectId, SubjectRow, UnitSubject } from "../subjects.ts";
import type { UnitResult } from "../units.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { addSubject, subjectById } from "./subject-rows.ts";
import type { People } from "./whom.ts";

/** Of a unit that is about nobody. */
const NOBODY: People = new Map();

interface Raised {
  readonly subject: bigint;
  readonly ordinal: number;
}

const RAISE = {
  subject: statement((db, { subject, ordinal }: Raised) =>
    db.updateTable("subjects").set({ subject_ordinal: ordinal }).where("subject", "=", subject).compile(),
  ),
  tenant: statement((db, { subject, ordinal }: Raised) =>
    db.updateTable("subjects").set({ tenant_ordinal: ordinal }).where("subject", "=", subject).compile(),
  ),
} as const;

const NEW: SubjectRow["ordinals"] = { subject: 0, tenant: 0 };

/** Everybody's row, made where there is none; or why nothing may be written about one of them. */
export function takePeople(connection: Connection, subjects: readonly UnitSubject[]): People | UnitResult {
  if (subjects.length === 0) return NOBODY;
  const found = subjects.map((subject) => ({ ...subject, row: subjectById(connection, subject.id) }));
  for (const { id, row } of found) {
    const state = row?.row?.state ?? "active";
    if (state !== "active") return { kind: "subject-closed", id, state };
  }
  const people = new Map<SubjectId, bigint>();
  for (const { id, scope, ordinal, row } of found) {
    const highest = scope === "record" ? ordinal : (row?.row?.ordinals ?? NEW)[scope];
    if (ordinal < highest) return { kind: "key-set-back", id };
    const subject = row?.subject ?? addSubject(connection, id, "active");
    if (scope !== "record" && ordinal > highest) connection.run(RAISE[scope], { subject, ordinal });
    people.set(id, subject);
  }
  return people;
}

const LINK = statement((db, row: { readonly subject: bigint; readonly record: bigint }) =>
  db
    .insertInto("links")
    .values({ subject: row.subject, record: row.record })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

export function link(connection: Connection, record: bigint, people: People): void {
  for (const subject of people.values()) connection.run(LINK, { subject, record });
}

interface RecordKey {
  readonly record: bigint;
}

const DROP_LINKS = statement((db, { record }: RecordKey) =>
  db.deleteFrom("links").where("record", "=", record).compile(),
);

export function dropLinks(connection: Connection, record: bigint): void {
  connection.run(DROP_LINKS, { record });
}
