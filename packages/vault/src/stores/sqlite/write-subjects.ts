/**
 * The people of a unit, within the writer's transaction: may they be written about, and what is noted of them. Nobody
 * else writes meanwhile, so that a state that is read here is the one at the commit.
 */
import { sql } from "kysely";
import type { SubjectId, SubjectRow, UnitSubject } from "../subjects.ts";
import type { UnitResult } from "../units.ts";
import { idBytes } from "./ids.ts";
import { statement } from "./statements.ts";
import type { Connection } from "./statements.ts";
import { addSubject, subjectById } from "./subject-rows.ts";
import type { TakenWhom } from "./units-taken.ts";

/** People of a unit -> the numbers of their rows. */
export type People = ReadonlyMap<SubjectId, bigint>;

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

interface NewWhom {
  readonly subject: bigint | null;
  readonly about: Uint8Array | null;
}

/** A number may come again, and with it what a hand has left behind at it. */
const NOTE_WHOM = statement((db, { subject, about }: NewWhom) =>
  db
    .replaceInto("version_subjects")
    .values({ version_key: sql<bigint>`last_insert_rowid()`, subject, about })
    .compile(),
);

/** Notes whom a version is about: the one that was inserted last. */
export function noteWhom(connection: Connection, { owner, about }: TakenWhom, people: People): void {
  const subject = owner === null ? null : (people.get(owner) ?? null);
  connection.run(NOTE_WHOM, { subject, about: about.length === 0 ? null : Buffer.concat(about.map(idBytes)) });
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

const DROP_WHOM = statement((db, { record }: RecordKey) =>
  db
    .deleteFrom("version_subjects")
    .where("version_key", "in", db.selectFrom("versions").select("key").where("record", "=", record))
    .compile(),
);

const DROP_LINKS = statement((db, { record }: RecordKey) =>
  db.deleteFrom("links").where("record", "=", record).compile(),
);

/** Before the versions themselves go. */
export function dropWhom(connection: Connection, record: bigint): void {
  connection.run(DROP_WHOM, { record });
  connection.run(DROP_LINKS, { record });
}
