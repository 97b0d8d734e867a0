/**
 * A move, step by step: each is refused from a stage that it does not go from, is one process's at a time, and has a
 * way back.
 */
import { VaultError } from "../errors.ts";
import { backfill } from "./backfill.ts";
import type { RefusedRow } from "./backfill.ts";
import { carry } from "./carry.ts";
import type { MoveParts } from "./carry.ts";
import type { MoveDatabase } from "./database.ts";
import { parseDefinition, tableUnfit } from "./definition.ts";
import type { MoveDefinition } from "./definition.ts";
import { RowDocuments } from "./documents.ts";
import { emptyRows, refillRows } from "./drop.ts";
import type { MessageOpener } from "./messages.ts";
import { planMove } from "./plan-move.ts";
import type { PlannedMove } from "./plan-move.ts";
import { STAGES } from "./stages.ts";
import type { MoveStage } from "./stages.ts";
import { MoveStates } from "./states.ts";
import type { Held, MoveCounts, MoveState, VerifiedMove } from "./states.ts";
import { MOST_NAMED } from "./step.ts";
import type { StepOptions } from "./step.ts";
import { MovingTable } from "./table.ts";
import type { MoveTarget } from "./target.ts";
import { verifyMove } from "./verify-move.ts";
import type { MoveVerdict } from "./verify-move.ts";

/** What a move is worked on with. */
export interface MoveOptions {
  readonly database: MoveDatabase;
  readonly target: (collection: string) => MoveTarget;
  /** Opens the messages of the application's own columns; null: there are none. */
  readonly opener: MessageOpener | null;
  /** How long a process that was killed is waited for, in milliseconds; 30,000 when left out. */
  readonly holdMs?: number;
}

/** Rows and records of a step, and what it could not do. */
export interface StepResult {
  readonly state: MoveState;
  readonly counts?: MoveCounts;
  readonly refused?: readonly RefusedRow[];
  readonly verdict?: MoveVerdict;
  /** Keys of rows that were left as they are. */
  readonly left?: readonly string[];
}

/**
 * Looks at a table, and changes nothing.
 *
 * @throws VaultError `move-table-unfit`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { plan, sqliteDatabase, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * console.log((await plan(options.database, people)).rows); // prints: 1
 * ```
 */
export async function plan(
  database: MoveDatabase,
  given: MoveDefinition,
  options: Parameters<typeof planMove>[1] = {},
): Promise<PlannedMove> {
  const definition = parseDefinition(given);
  return planMove({ database, definition, table: await MovingTable.open(database, definition) }, options);
}

/**
 * Begins a move: from here on the application writes both.
 *
 * @throws VaultError `move-stage`, `move-held`, `move-table-unfit`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * console.log((await start(options, people)).state.stage); // prints: dual-writing
 * ```
 */
export async function start(options: MoveOptions, given: MoveDefinition): Promise<StepResult> {
  const { database, holdMs } = options;
  const definition = parseDefinition(given);
  await MovingTable.open(database, definition);
  const states = new MoveStates(database, holdMs);
  await states.begin(definition);
  return step(options, definition.name, ["planned"], async (_parts, held) => ({
    held: await states.flip(held, "dual-writing"),
  }));
}

/**
 * Brings every row into the vault. One that is whole is begun anew: it compares.
 *
 * @throws VaultError `move-absent`, `move-stage`, `move-held`; the vault's and the database's own
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { fill, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * await start(options, people);
 * console.log((await fill(options, "people")).counts?.created); // prints: 1
 * ```
 */
export async function fill(
  options: MoveOptions,
  name: string,
  how: StepOptions & { readonly removeGone?: boolean } = {},
): Promise<StepResult> {
  return step(options, name, ["dual-writing", "filled"], async (parts, taken) => {
    const begun = taken.state.stage === "filled" ? await parts.states.flip(taken, "dual-writing") : taken;
    const passed = await backfill(parts, begun, how);
    const gone = how.removeGone === true ? await removeGone(parts) : { removed: 0, kept: 0, refused: [] };
    const refused = [...passed.refused, ...gone.refused].slice(0, MOST_NAMED);
    const { counts: before } = passed;
    const counts = { ...before, emptied: before.emptied + gone.removed, refused: before.refused + gone.kept };
    const ended = { counts, after: null, taken: [] };
    const { states } = parts;
    if (counts.refused > 0)
      return { held: await states.save(passed.held, { ...passed.held.state.progress, ...ended }), counts, refused };
    return { held: await states.flip(passed.held, "filled", ended), counts, refused };
  });
}

/** What became of the records without a row. */
interface Gone {
  readonly removed: number;
  /** How many the vault keeps; the first of them are named. */
  readonly kept: number;
  readonly refused: readonly RefusedRow[];
}

/** Removes records of the collection that have no row, or one without values. */
async function removeGone(parts: MoveParts): Promise<Gone> {
  const refused: RefusedRow[] = [];
  let [removed, kept] = [0, 0];
  for await (const ids of parts.target.ids())
    for (const id of ids) {
      const carried = await carry(parts, id, "remove-empty");
      if (carried === "removed") removed++;
      // A row that is there has been counted.
      if (typeof carried !== "object" || !carried.isOfNoRow) continue;
      kept++;
      if (refused.length < MOST_NAMED) refused.push({ key: id, reasons: carried.refused });
    }
  return { removed, kept, refused };
}

/**
 * Holds table and vault against each other, and keeps what came of it.
 *
 * @throws VaultError `move-absent`, `move-stage`, `move-held`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { fill, sqliteDatabase, start, vaultTarget, verify } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * await start(options, people);
 * await fill(options, "people");
 * console.log((await verify(options, "people")).verdict?.found); // prints: 0
 * ```
 */
export async function verify(options: MoveOptions, name: string, how: StepOptions = {}): Promise<StepResult> {
  const stages = (Object.keys(STAGES) as MoveStage[]).filter((stage) => stage !== "planned");
  return step(options, name, stages, (parts, held) => verified(parts, held, how));
}

/**
 * From here on the application reads from the vault.
 *
 * @throws VaultError `move-not-whole`: not everything is there now; `move-absent`, `move-stage`, `move-held`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { cutOver, fill, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * await start(options, people);
 * await fill(options, "people");
 * console.log((await cutOver(options, "people")).state.stage); // prints: cut-over
 * ```
 */
export async function cutOver(options: MoveOptions, name: string, how: StepOptions = {}): Promise<StepResult> {
  return step(options, name, ["filled"], async (parts, taken) => {
    const { held, verdict } = await verified(parts, taken, how);
    requireWhole(verdict);
    return { held: await parts.states.flip(held, "cut-over"), verdict };
  });
}

/**
 * Empties the columns. A row whose record is not the same is left, and named.
 *
 * @throws VaultError `move-not-whole`: not everything is there now; `move-table-unfit`, `move-stage`, `move-held`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { cutOver, drop, fill, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * await start(options, people);
 * await fill(options, "people");
 * await cutOver(options, "people");
 * console.log((await drop(options, "people")).state.stage); // prints: dropped
 * console.log(app.prepare("select name from people").get()?.["name"]); // prints: null
 * ```
 */
export async function drop(options: MoveOptions, name: string, how: StepOptions = {}): Promise<StepResult> {
  return step(options, name, ["cut-over", "dropping"], async (parts, taken) => {
    const { states, table } = parts;
    const fixed = table.facts.columns.filter(({ mayBeNull }) => !mayBeNull).map((column) => column.name);
    if (fixed.length > 0) throw tableUnfit(fixed.map((column) => `${column} may not be null: drop that constraint`));
    let held = taken;
    if (held.state.stage === "cut-over") {
      const looked = await verified(parts, held, how);
      requireWhole(looked.verdict);
      held = await states.flip(looked.held, "dropping");
    }
    for (;;) {
      const passed = await emptyRows(parts, held, how);
      held = await states.save(passed.held, { ...passed.held.state.progress, after: null });
      if (passed.done === 0 && passed.left.length > 0) return { held, left: passed.left };
      // A pass that finds nothing: also of what an application wrote behind the cursor nothing is left.
      if (passed.done === 0) return { held: await states.flip(held, "dropped") };
    }
  });
}

/**
 * One stage back. What the vault has stays there; columns that were emptied are filled from it.
 *
 * @throws VaultError `move-not-whole`, `move-stage`, `move-held`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { back, cutOver, drop, fill, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
 *
 * const app = new DatabaseSync(":memory:");
 * app.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada')");
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * await using vault = await openVault({ store: memoryStore(), keyring });
 * const database = sqliteDatabase(app);
 * const options = { database, target: (collection: string) => vaultTarget(vault, collection), opener: null };
 * const columns = [{ name: "name", holds: "values" }] as const;
 * const people = { name: "people", table: "people", key: "id", columns, collection: "people" };
 * await start(options, people);
 * await fill(options, "people");
 * await cutOver(options, "people");
 * await drop(options, "people");
 * await back(options, "people");
 * console.log(app.prepare("select name from people").get()?.["name"]); // prints: Ada
 * ```
 */
export async function back(options: MoveOptions, name: string, how: StepOptions = {}): Promise<StepResult> {
  const stages = (Object.keys(STAGES) as MoveStage[]).filter((stage) => STAGES[stage].back !== null);
  return step(options, name, stages, async (parts, taken) => {
    const { stage } = taken.state;
    const { back: before } = STAGES[stage];
    if (before === null) return { held: taken };
    if (before !== "cut-over") return { held: await parts.states.flip(taken, before) };
    const { states } = parts;
    const begun = stage === "refilling" ? taken : await states.flip(taken, "refilling");
    const passed = await refillRows(parts, begun, how);
    const verdict = await verifyMove(parts, "cut-over", how);
    const held = await states.save(passed.held, { ...passed.held.state.progress, after: null });
    requireWhole(verdict);
    return { held: await states.flip(held, "cut-over"), verdict };
  });
}

async function verified(
  parts: MoveParts,
  held: Held,
  how: StepOptions,
): Promise<{ readonly held: Held; readonly verdict: MoveVerdict }> {
  const { progress, stage } = held.state;
  const verdict = await verifyMove(parts, stage, how);
  const { rows, records, found } = verdict;
  const seen: VerifiedMove = { at: new Date().toISOString(), rows, records, findings: found };
  return { held: await parts.states.save(held, { ...progress, verified: seen }), verdict };
}

/** Keys that an error names. */
const MOST_IN_ERROR = 20;

/** @throws VaultError `move-not-whole` */
function requireWhole({ found, findings }: MoveVerdict): void {
  if (found === 0) return;
  const named = findings.slice(0, MOST_IN_ERROR).map(({ key, kind, columns = [] }) => {
    const where = columns.length === 0 ? "" : ` in ${columns.join(", ")}`;
    return `${key} (${kind}${where})`;
  });
  throw new VaultError("move-not-whole", `${found} rows or records: ${named.join("; ")}`);
}

/** Takes the move, does the step, and lets it go whatever comes of it. */
async function step(
  { database, target, opener, holdMs }: MoveOptions,
  name: string,
  stages: readonly MoveStage[],
  work: (parts: MoveParts, held: Held) => Promise<Omit<StepResult, "state"> & { readonly held: Held }>,
): Promise<StepResult> {
  const states = new MoveStates(database, holdMs);
  const held = await states.take(name, stages);
  // However slowly the step goes. Whether the hold was lost all the same shows when something is saved.
  const keep = setInterval(() => void states.keep(held).catch(() => undefined), states.holdMs / 3);
  try {
    const { definition } = held.state;
    const table = await MovingTable.open(database, definition);
    const documents = new RowDocuments(definition, opener);
    const parts = { name, database, states, table, documents, target: target(definition.collection) };
    const { held: ended, ...result } = await work(parts, held);
    return { ...result, state: { ...ended.state, heldUntil: null } };
  } finally {
    clearInterval(keep);
    await states.release(held).catch(() => undefined);
  }
}
