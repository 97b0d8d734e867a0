/**
 * Makes units, and settles those whose answer was lost. Units that fit are one statement and one round trip; what does
 * not fit is one transaction of several, when it must be whole.
 */
import { VaultError } from "../../errors.ts";
import type { Epoch } from "../gate.ts";
import { STORE_WRITER } from "../gate.ts";
import type { Capabilities } from "../store.ts";
import { isSubjectId } from "../subjects.ts";
import type { SubjectId, UnitSubject } from "../subjects.ts";
import type { Outcome, Unit, UnitResult } from "../units.ts";
import type { Columns } from "./columns.ts";
import { text, whole } from "./columns.ts";
import { placeholders, RollBack, statement } from "./connection.ts";
import type { Connections, Statement } from "./connection.ts";
import { entriesOf, entryArguments } from "./entries.ts";
import { cutBySize } from "./sent-bytes.ts";
import { closedState } from "./subject-rows.ts";
import { requireAccepted } from "./refusals.ts";
import { indexOf, putTagArguments, requireWholeTags, tagsOfUnit } from "./tags.ts";
import { appendStatement } from "./outbox.ts";
import type { SchemaName } from "./schema-name.ts";
import { applyArguments, peopleArguments, putArguments, requireUnits, statementsOf, wrapSetsOf } from "./units.ts";
import type { ApplyContext } from "./units.ts";
import { internArguments, internStatement } from "./wrap-sets.ts";
import { wrapSetDigest, wrapSetForm } from "../wrap-set.ts";
import type { WrapSet } from "../wrap-set.ts";

/** The changes of records of one store. */
export interface RecordChanges {
  apply(units: readonly Unit[], atomic: boolean): Promise<readonly UnitResult[]>;
  outcome(units: readonly Pick<Unit, "address" | "writeId">[]): Promise<readonly Outcome[]>;
  readyFor(units: readonly Unit[]): Promise<void>;
}

/** Most wrap sets that are remembered to have been written: there is only a handful. */
const MOST_KNOWN_SETS = 1000;

/** Most people of whom it is remembered that they have a row, and under which ordinals. */
const MOST_KNOWN_PEOPLE = 10_000;

/**
 * Writes wrap sets and people of units down ahead of the caller's transaction: within it, one that is new would be
 * waited for by every writer that has the same, and an ordinal that is raised by whoever raises it.
 */
function writeAhead({
  connections,
  schema,
  statements,
  vault,
  lockTimeoutMs,
}: ChangeContext): (units: readonly Unit[]) => Promise<void> {
  const ahead = statement(`select result from ${schema}.ahead_v1(${placeholders(6)})`);
  const sets = new Known(MOST_KNOWN_SETS);
  const people = new Known(MOST_KNOWN_PEOPLE);
  return async (units) => {
    const digestOf = (set: WrapSet): string => wrapSetDigest(wrapSetForm(set));
    const newSets = sets.without(wrapSetsOf(units), digestOf);
    if (newSets.length > 0) await connections.run(statements.intern, internArguments(newSets), "repeat");
    sets.note(newSets, digestOf);
    const keyOf = ({ id, scope, ordinal }: UnitSubject): string => `${id} ${scope} ${ordinal}`;
    const subjects = units.flatMap(({ change }) => (change.kind === "write" ? change.subjects : []));
    const newPeople = people.without(subjects, keyOf);
    if (newPeople.length === 0) return;
    const values = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs), ...peopleArguments(newPeople)];
    requireAccepted(await connections.run(ahead, values, "repeat"), "result");
    people.note(newPeople, keyOf);
  };
}

/** What was written down before: never taken away again, so that it is not written twice. */
class Known {
  readonly #keys = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  without<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly Item[] {
    return items.filter((item) => !this.#keys.has(keyOf(item)));
  }

  note<Item>(items: readonly Item[], keyOf: (item: Item) => string): void {
    if (this.#keys.size + items.length > this.#most) this.#keys.clear();
    for (const item of items) this.#keys.add(keyOf(item));
  }
}

/** What the changes of one store have in common. */
export interface ChangeContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  readonly statements: UnitStatements;
  /** The id that the database must have. */
  readonly vault: string;
  readonly lockTimeoutMs: number;
  readonly capabilities: Capabilities;
}

/** Sends one statement of units, and says what was answered. */
export type Send = (query: Statement, values: readonly unknown[]) => Promise<readonly Columns[]>;

/** What units are made by. */
export interface UnitStatements {
  readonly apply: Statement;
  readonly put: Statement;
  /** Of a unit that has tags. */
  readonly putTagged: Statement;
  readonly append: Statement;
  readonly intern: Statement;
}

export const unitStatements = (schema: SchemaName): UnitStatements => ({
  apply: statement(`select result, epoch, person, state, taken from ${schema}.apply_v5(${placeholders(47)})`),
  put: statement(`select result, epoch, person, state from ${schema}.put_v3(${placeholders(29)})`),
  putTagged: statement(`select result, epoch, person, state, taken from ${schema}.put_v4(${placeholders(31)})`),
  append: appendStatement(schema),
  intern: internStatement(schema),
});

export function recordChanges(context: ChangeContext): RecordChanges {
  const { connections, schema, statements, vault, lockTimeoutMs, capabilities } = context;
  const outcomes = statement(`select result from ${schema}.outcome_v1(${placeholders(6)})`);
  const once: Send = (query, values) => connections.run(query, values, "unknown");
  const intern: Send = (query, values) => connections.run(query, values, "repeat");
  const readyFor = writeAhead(context);
  return {
    readyFor,
    async apply(units, atomic) {
      requireUnits(units, capabilities, atomic);
      const parts = statementsOf(units);
      const [first] = parts;
      if (first === undefined) return [];
      const results = new Map<Unit, UnitResult>();
      if (parts.length === 1 || !atomic) {
        for (const part of parts) {
          const given = units.filter((unit) => parts.length === 1 || part.includes(unit));
          const own = { vault, lockTimeoutMs, atomic, given, entries: entriesOf(given) };
          await send(statements, part, own, { apply: once, intern, results });
        }
      } else {
        // Before the first lock of a record: what somebody else writes now is waited for.
        await readyFor(units);
        await applyParts(context, { units, parts }, { intern, results });
      }
      return units.map((unit) => results.get(unit) ?? { kind: "not-made" });
    },
    async outcome(units) {
      if (units.length === 0) return [];
      const rows = await connections.run(
        outcomes,
        [
          vault,
          STORE_WRITER,
          Math.ceil(lockTimeoutMs),
          units.map(({ writeId }) => writeId),
          units.map(({ address }) => address.collection),
          units.map(({ address }) => address.id),
        ],
        "repeat",
      );
      requireAccepted(rows, "result");
      return rows.map(({ result }) => (result === "made" ? "made" : "void"));
    },
  };
}

/** Units, and the statements that they are cut into. */
export interface Parts {
  /** In the order in which the caller gave them. */
  readonly units: readonly Unit[];
  readonly parts: readonly (readonly Unit[])[];
}

/** One transaction of several statements; none of them is made unless all are. */
async function applyParts(
  { connections, statements, vault, lockTimeoutMs }: ChangeContext,
  parts: Parts,
  { intern, results }: Omit<Sending, "apply">,
): Promise<void> {
  try {
    await connections.transaction(
      lockTimeoutMs,
      async (connection) => {
        const apply: Send = (query, values) => connection.query(query, values, { isNamed: connections.isNamed });
        const sending = { apply, intern, results };
        if (!(await sendParts(statements, parts, { vault, lockTimeoutMs }, sending))) throw new RollBack();
      },
      "unknown",
    );
  } catch (error) {
    if (!(error instanceof RollBack)) throw error;
  }
}

/**
 * Statements of units within one transaction, then all their entries: these have an order that is not that of the
 * records. False: the transaction, or what of it was sent here, must not be made.
 */
export async function sendParts(
  statements: UnitStatements,
  { units, parts }: Parts,
  { vault, lockTimeoutMs }: { readonly vault: string; readonly lockTimeoutMs: number },
  sending: Sending,
): Promise<boolean> {
  const { apply, results } = sending;
  const context = { vault, lockTimeoutMs, atomic: true };
  const fail = (made: UnitResult): false => {
    for (const [unit, { kind }] of results) if (kind === "made") results.set(unit, made);
    return false;
  };
  if (parts.length === 1) {
    const [only = []] = parts;
    const isMade = await send(statements, only, { ...context, given: units, entries: entriesOf(units) }, sending);
    return isMade || fail({ kind: "not-made" });
  }
  for (const part of parts)
    if (!(await send(statements, part, { ...context, given: part, entries: [] }, sending)))
      return fail({ kind: "not-made" });
  for (const entries of cutBySize(entriesOf(units), ({ text }) => text.length)) {
    const values = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs), [], ...entryArguments(entries)];
    const { result } = requireAccepted(await apply(statements.append, values), "result");
    if (result !== "made") return fail({ kind: "stream-moved" });
  }
  return true;
}

/** What a statement of units is sent by, and where their results go. */
export interface Sending {
  readonly apply: Send;
  readonly intern: Send;
  readonly results: Map<Unit, UnitResult>;
}

/** One statement of units. True: all are made. */
export async function send(
  statements: UnitStatements,
  units: readonly Unit[],
  context: ApplyContext,
  { apply, intern, results }: Sending,
): Promise<boolean> {
  const [query, values] = statementOf(statements, units, context);
  for (let attempt = 1; attempt <= 2; attempt++) {
    const rows = await apply(query, values);
    const { result: first } = requireAccepted(rows, "result");
    requireWholeTags(first);
    if (first !== "set-unknown") {
      const found = units.map((unit, index) => ({ unit, result: unitResult(rows[index]) }));
      for (const { unit, result } of found) results.set(unit, result);
      return found.every(({ result }) => result.kind === "made");
    }
    await intern(statements.intern, internArguments(wrapSetsOf(units)));
  }
  throw new VaultError("store-altered", "A wrap set that was written is not there");
}

/** A unit without tags is made by a function that knows of none. */
function statementOf(
  statements: UnitStatements,
  units: readonly Unit[],
  context: ApplyContext,
): readonly [Statement, unknown[]] {
  const put = putArguments(units, context);
  if (put === null) return [statements.apply, applyArguments(units, context)];
  const tags = tagsOfUnit(units[0]);
  return tags === undefined ? [statements.put, put] : [statements.putTagged, [...put, ...putTagArguments(tags)]];
}

/** @throws VaultError `store-altered` */
function personOf(row: Columns | undefined): SubjectId {
  const person = row?.["person"];
  if (isSubjectId(person)) return person;
  throw new VaultError("store-altered", "The database answered what no vault answers");
}

function unitResult(row: Columns | undefined): UnitResult {
  const result = text(row?.["result"]);
  switch (result) {
    case "made":
    case "conflict":
    case "not-made":
    case "stream-moved":
      return { kind: result };
    case "gate-moved":
      return { kind: result, epoch: (whole(row?.["epoch"], 0) ?? 0) as Epoch };
    case "subject-closed":
      return { kind: result, id: personOf(row), state: closedState(row?.["state"]) };
    case "key-set-back":
      return { kind: result, id: personOf(row) };
    case "taken":
      return { kind: result, index: indexOf(row?.["taken"]) };
    default:
      throw new VaultError("store-altered", "The database answered what no vault answers");
  }
}
