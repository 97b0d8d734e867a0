/**
 * Where a move is: one row of `strongroom_moves`, in the application's own database beside the table that moves, so
 * that the application sees the stage in the same transaction as its rows, and a backup of the one is one of the other.
 */
import { isPlain } from "@strongroom/base/options";
import { VaultError } from "../errors.ts";
import type { MoveDatabase, Run } from "./database.ts";
import { qualified } from "./database.ts";
import { parseDefinition } from "./definition.ts";
import type { MoveDefinition } from "./definition.ts";
import { isStage } from "./stages.ts";
import type { MoveStage } from "./stages.ts";

/** What was done, over all runs. */
export interface MoveCounts {
  readonly created: number;
  readonly replaced: number;
  readonly same: number;
  readonly refused: number;
  readonly emptied: number;
}

/** What a verification found. */
export interface VerifiedMove {
  readonly at: string;
  readonly rows: number;
  readonly records: number;
  readonly findings: number;
}

/** How far it is. */
export interface MoveProgress {
  /** Key after which the stage's work goes on; null: it begins. */
  readonly after: string | null;
  /** Keys that are being worked on: looked at again by whoever goes on. */
  readonly taken: readonly string[];
  readonly counts: MoveCounts;
  readonly verified: VerifiedMove | null;
  /** The stages that there were, the newest last. */
  readonly history: readonly { readonly stage: MoveStage; readonly at: string }[];
}

/** A move as it is kept. */
export interface MoveState {
  readonly name: string;
  readonly stage: MoveStage;
  readonly definition: MoveDefinition;
  readonly progress: MoveProgress;
  /** Milliseconds since 1970, by the database's clock, until which a process has it; null: none. */
  readonly heldUntil: number | null;
}

/** A hold on a move: what its holder stores is stored only while nobody else has taken it. */
export interface Held {
  readonly state: MoveState;
  readonly fence: bigint;
}

export const NO_COUNTS: MoveCounts = { created: 0, replaced: 0, same: 0, refused: 0, emptied: 0 };

/** How long a hold lasts without being saved, in milliseconds. */
const HOLD_MS = 30_000;
/** How long a change of stage waits for transactions of the application, in milliseconds. */
const FLIP_MS = 10_000;
const LONGEST_HISTORY = 100;

/**
 * The table of moves.
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { MoveStates, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
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
 * console.log((await new MoveStates(database).read("people")).stage); // prints: dual-writing
 * ```
 */
export class MoveStates {
  readonly #database: MoveDatabase;
  readonly #table: string;
  readonly #now: string;
  /** Whether the table was seen once: nothing takes it away, and every read of an application asks. */
  #isSeen = false;
  readonly holdMs: number;

  constructor(database: MoveDatabase, holdMs: number = HOLD_MS) {
    this.#database = database;
    this.holdMs = holdMs;
    this.#table = qualified(database, "strongroom_moves");
    this.#now =
      database.dialect === "postgres"
        ? "(extract(epoch from clock_timestamp()) * 1000)::bigint"
        : "cast(unixepoch('subsec') * 1000 as integer)";
  }

  /** Whether the table is there. */
  async isThere(run: Run): Promise<boolean> {
    if (this.#isSeen) return true;
    const { dialect, schema } = this.#database;
    const rows =
      dialect === "postgres"
        ? await run("select from pg_tables where schemaname = $1 and tablename = 'strongroom_moves'", [schema])
        : await run("select 1 from sqlite_schema where type = 'table' and name = 'strongroom_moves'");
    this.#isSeen = rows.length > 0;
    return this.#isSeen;
  }

  /** All moves of the schema, by name. */
  async list(): Promise<readonly MoveState[]> {
    return this.#database.transaction(async (run) => {
      if (!(await this.isThere(run))) return [];
      return (await run(`select * from ${this.#table} order by name`)).map(stateOf);
    });
  }

  /** @throws VaultError `move-absent` */
  async read(name: string): Promise<MoveState> {
    return this.#database.transaction((run) => this.readIn(run, name));
  }

  /** Within a transaction. @throws VaultError `move-absent` */
  async readIn(run: Run, name: string): Promise<MoveState> {
    if (!(await this.isThere(run))) throw absent(name);
    return this.#stateIn(run, name);
  }

  async #stateIn(run: Run, name: string): Promise<MoveState> {
    const [row] = await run(`select * from ${this.#table} where name = $1`, [name]);
    if (row === undefined) throw absent(name);
    return stateOf(row);
  }

  /**
   * The stage, which stays until the transaction ends: a change of stage waits for it. SQLite's transactions write, and
   * so exclude each other.
   */
  async stageUntilEnd(run: Run, name: string): Promise<MoveState> {
    if (this.#database.dialect === "postgres")
      await run("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [this.#lockName(name)]);
    return this.readIn(run, name);
  }

  /** Makes the table and the row of a move that is not under way. @throws VaultError `move-stage` */
  async begin(definition: MoveDefinition): Promise<void> {
    await this.#database.transaction(async (run) => {
      if (this.#database.dialect === "postgres")
        await run("select pg_advisory_xact_lock(hashtextextended($1, 0))", [this.#lockName("")]);
      if (!(await this.isThere(run)))
        await run(
          `create table ${this.#table} (name text primary key, stage text not null, fence bigint not null,
            held_until bigint not null, definition text not null, progress text not null)`,
        );
      const values = [definition.name, JSON.stringify(definition), JSON.stringify(newProgress("planned"))];
      await run(
        `insert into ${this.#table} (name, stage, fence, held_until, definition, progress)
          values ($1, 'planned', 0, 0, $2, $3)
          on conflict (name) do update set definition = excluded.definition, progress = excluded.progress
          where ${this.#table}.stage = 'planned'`,
        values,
      );
      // The table is not there before this is committed.
      const { stage } = await this.#stateIn(run, definition.name);
      if (stage !== "planned")
        throw new VaultError("move-stage", `The move ${definition.name} has begun: it is ${stage}`);
    });
  }

  /**
   * Takes the move for this process. @param stages those that it may be in
   *
   * @throws VaultError `move-absent`, `move-held`, `move-stage`
   */
  async take(name: string, stages: readonly MoveStage[]): Promise<Held> {
    return this.#database.transaction(async (run) => {
      await this.readIn(run, name);
      const [row] = await run(
        `update ${this.#table} set fence = fence + 1, held_until = ${this.#now} + $2
          where name = $1 and held_until < ${this.#now} returning *`,
        [name, this.holdMs.toString()],
      );
      if (row === undefined) {
        const { heldUntil } = await this.readIn(run, name);
        const until = heldUntil === null ? "" : `, until ${new Date(heldUntil).toISOString()} unless it goes on`;
        throw new VaultError("move-held", `Another process works on the move ${name}${until}`);
      }
      const state = stateOf(row);
      if (!stages.includes(state.stage))
        throw new VaultError(
          "move-stage",
          `The move ${name} is ${state.stage}; this is a step from ${stages.join(" or ")}`,
        );
      return { state, fence: BigInt(String(row["fence"])) };
    });
  }

  /** Saves how far it is, and keeps the hold. @throws VaultError `move-held`: another process has taken it */
  async save(held: Held, progress: MoveProgress): Promise<Held> {
    return this.#database.transaction((run) => this.saveIn(run, held, progress));
  }

  /** The same within a transaction, which then is the holder's or nobody's. */
  async saveIn(run: Run, held: Held, progress: MoveProgress): Promise<Held> {
    return this.#storeIn(run, { ...held, state: { ...held.state, progress } });
  }

  async #storeIn(run: Run, held: Held): Promise<Held> {
    const { name, stage, progress } = held.state;
    const rows = await run(
      `update ${this.#table} set stage = $3, progress = $4, held_until = ${this.#now} + $5
        where name = $1 and fence = $2 returning name`,
      [name, held.fence.toString(), stage, JSON.stringify(progress), this.holdMs.toString()],
    );
    if (rows.length === 0) throw taken(name);
    return held;
  }

  /**
   * Changes the stage, when no transaction of the application is open that has read the one before.
   *
   * @throws VaultError `move-held`
   */
  async flip(held: Held, stage: MoveStage, progress: Partial<MoveProgress> = {}): Promise<Held> {
    const { name } = held.state;
    const past = [...held.state.progress.history, { stage, at: new Date().toISOString() }].slice(-LONGEST_HISTORY);
    const next = { ...held.state.progress, after: null, taken: [], ...progress, history: past };
    return this.#database.transaction(async (run) => {
      if (this.#database.dialect === "postgres") {
        await run(`set local lock_timeout = ${FLIP_MS}`);
        await run("select pg_advisory_xact_lock(hashtextextended($1, 0))", [this.#lockName(name)]).catch(
          (cause: unknown) => {
            const detail = `A transaction of the application that writes to the move ${name} stays open`;
            throw new VaultError("move-held", detail, { cause });
          },
        );
      }
      return this.#storeIn(run, { ...held, state: { ...held.state, stage, progress: next } });
    });
  }

  /** Keeps the hold, and nothing else. */
  async keep({ state, fence }: Held): Promise<void> {
    await this.#database.transaction((run) =>
      run(`update ${this.#table} set held_until = ${this.#now} + $3 where name = $1 and fence = $2`, [
        state.name,
        fence.toString(),
        this.holdMs.toString(),
      ]),
    );
  }

  /** Lets another process have it. */
  async release({ state, fence }: Held): Promise<void> {
    await this.#database.transaction((run) =>
      run(`update ${this.#table} set held_until = 0 where name = $1 and fence = $2`, [state.name, fence.toString()]),
    );
  }

  #lockName(name: string): string {
    return `strongroom/move/${this.#database.schema ?? ""}/${name}`;
  }
}

function newProgress(stage: MoveStage): MoveProgress {
  const history = [{ stage, at: new Date().toISOString() }];
  return { after: null, taken: [], counts: NO_COUNTS, verified: null, history };
}

function absent(name: string): VaultError {
  return new VaultError("move-absent", `There is no move ${name}`);
}

function taken(name: string): VaultError {
  return new VaultError("move-held", `Another process has taken the move ${name} over; this one stops`);
}

function stateOf(row: Readonly<Record<string, unknown>>): MoveState {
  const { stage, definition, progress } = row;
  const parsed: unknown = JSON.parse(String(progress));
  if (!isStage(stage) || !isPlain(parsed))
    throw new VaultError("move-stage", "The row of the move in strongroom_moves is not one that a move wrote");
  const heldUntil = Number(row["held_until"]);
  return {
    name: String(row["name"]),
    stage,
    definition: parseDefinition(JSON.parse(String(definition))),
    progress: parsed as MoveProgress,
    heldUntil: heldUntil > Date.now() ? heldUntil : null,
  };
}
