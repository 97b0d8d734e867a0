/**
 * A move from the application's side: reads and writes that do the right thing in whichever stage it is, so that the
 * application changes once, before the move begins, and not at each of its steps.
 */
import { VaultError } from "../errors.ts";
import type { JsonObject } from "../records/document.ts";
import { carry } from "./carry.ts";
import type { Carried, MoveParts } from "./carry.ts";
import type { MoveDatabase, Run } from "./database.ts";
import { tableUnfit } from "./definition.ts";
import { personOf, RowDocuments } from "./documents.ts";
import type { MessageOpener } from "./messages.ts";
import { STAGES } from "./stages.ts";
import type { MoveStage } from "./stages.ts";
import { MoveStates } from "./states.ts";
import { MovingTable } from "./table.ts";
import type { TableRow } from "./table.ts";
import { vaultTarget } from "./target.ts";
import type { WriteOutcome } from "./target.ts";
import type { ActingVault } from "../vault.ts";

/** What the application gives for it. */
export interface DualWriteOptions {
  readonly vault: ActingVault;
  readonly database: MoveDatabase;
  /** Name of the move, which has been planned or begun. */
  readonly move: string;
  /** Where columns hold messages: opens them, and makes those that the application writes. */
  readonly opener?: MessageOpener;
}

/** Reads and writes of the columns that move. */
export interface DualWrite {
  /** The stage now. */
  stage(): Promise<MoveStage>;
  /** The document of a row, from where it is read in this stage; null: there is none. */
  read(id: string): Promise<JsonObject | null>;
  /**
   * Writes a document: into the columns of its row and then into the vault, or into the vault alone with the columns
   * emptied, as the stage has it.
   *
   * @param work statements of the application in the same transaction, before the columns are written: it inserts a
   *   row that is new. It is given the driver's client. Nothing is written when it throws.
   * @throws VaultError `move-table-unfit`: no such row, or a column does not hold the document exactly; what
   *   `vault.put` throws, when the row is committed already: calling it again completes it, and so does the backfill,
   *   but where the vault alone has the document
   */
  put(id: string, document: JsonObject, work?: (client: unknown) => Promise<void>): Promise<void>;
  /**
   * Deletes: `work` the row, and then this the record.
   *
   * @throws VaultError `move-table-unfit`: the row is there still, or the vault keeps the record; what `vault.remove`
   *   throws, when the row is gone already: calling it again completes it
   */
  remove(id: string, work: (client: unknown) => Promise<void>): Promise<void>;
}

/**
 * Opens it. The move's table is looked at once.
 *
 * @throws VaultError `move-absent`, `move-table-unfit`
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { DatabaseSync } from "node:sqlite";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault } from "@strongroom/vault";
 * import { memoryStore } from "@strongroom/vault/memory";
 * import { dualWrite, sqliteDatabase, start, vaultTarget } from "@strongroom/vault/moving";
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
 * const moving = await dualWrite({ vault, database, move: "people" });
 * await moving.put("1", { name: "Ada King" });
 * console.log((await vault.get({ collection: "people", id: "1" })).document["name"]); // prints: Ada King
 * ```
 */
export async function dualWrite(options: DualWriteOptions): Promise<DualWrite> {
  const { vault, database, move: name, opener = null } = options;
  const states = new MoveStates(database);
  const { definition } = await states.read(name);
  const table = await MovingTable.open(database, definition);
  const documents = new RowDocuments(definition, opener);
  const target = vaultTarget(vault, definition.collection);
  const parts: MoveParts = { name, database, states, table, documents, target };

  /** What the context of a message may name. */
  const besideOf = async (id: string): Promise<TableRow["beside"]> => {
    if (!definition.columns.some(({ holds }) => holds === "messages")) return new Map();
    const [row] = await database.transaction((run) => table.rows(run, [id]));
    return row?.beside ?? new Map<string, string | null>();
  };

  return {
    stage: async () => (await states.read(name)).stage,
    read: async (id) => {
      const { stage, row } = await database.transaction(async (run) => ({
        stage: (await states.readIn(run, name)).stage,
        row: (await table.rows(run, [id]))[0],
      }));
      if (STAGES[stage].reads === "vault") return (await target.read(id))?.document ?? null;
      const found = await documents.of(row);
      if (found.kind === "refused") throw tableUnfit(found.reasons);
      return found.kind === "document" ? found.document : null;
    },
    put: async (id, document, work = async () => undefined) => {
      requireValues(document);
      // Messages are made before the transaction begins: within it no KMS is asked.
      const values = await documents.valuesOf(document, { key: id, beside: await besideOf(id) }, table);
      const { stage, subject } = await database.transaction(async (run, client) => {
        const now = await states.stageUntilEnd(run, name);
        await work(client);
        if (STAGES[now.stage].writes === "vault")
          return { stage: now.stage, subject: personOf(definition, await emptied(run, table, id)) };
        await documents.fill(run, table, { key: id, values, document });
        return { stage: now.stage, subject: null };
      });
      const { writes } = STAGES[stage];
      if (writes === "table") return;
      if (writes === "both") {
        requireCarried(await carry(parts, id, "keep"));
        return;
      }
      requireMade(await target.put({ id, document, subject }, "any"));
    },
    remove: async (id, work) => {
      const stage = await database.transaction(async (run, client) => {
        const now = await states.stageUntilEnd(run, name);
        await work(client);
        if ((await table.rows(run, [id])).length > 0) throw tableUnfit(["the row that is removed is there still"]);
        return now.stage;
      });
      const { writes } = STAGES[stage];
      if (writes === "both") requireCarried(await carry(parts, id, "remove"));
      if (writes === "vault") requireMade(await target.remove(id, "any"));
    },
  };
}

/** Empties the columns of a row. @returns the row as it was */
async function emptied(run: Run, table: MovingTable, id: string): Promise<TableRow> {
  const [row] = await table.rows(run, [id], "lock");
  if (row === undefined) throw tableUnfit(["there is no row of this key: insert it first"]);
  await table.clear(run, id);
  return row;
}

/** A row without values would say that there is nothing. */
function requireValues(document: JsonObject): void {
  if (Object.values(document).every((value) => value === null))
    throw tableUnfit(["a document without a value is none: remove the row"]);
}

/** Of a write that replaces whatever is there. */
function requireMade(outcome: WriteOutcome): void {
  if (typeof outcome === "object") throw notTaken([outcome.refused]);
  if (outcome === "overtaken")
    throw new VaultError("record-contended", "The row is written, and its record changes faster than it can be");
}

function requireCarried(carried: Carried): void {
  if (typeof carried === "object") throw notTaken(carried.refused);
}

function notTaken(reasons: readonly string[]): VaultError {
  return new VaultError(
    "move-table-unfit",
    `The row is written, and the vault does not take it: ${reasons.join("; ")}`,
  );
}
