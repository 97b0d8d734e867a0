import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type MoveDatabase, type MoveDefinition, plan, sqliteDatabase, STAGES } from "@strongroom/vault/moving";

const DEFINITION: MoveDefinition = {
  name: "people",
  table: "people",
  key: "id",
  columns: [{ name: "name", holds: "values" }],
  collection: "people",
};

export const use = async (): Promise<void> => {
  const own = new DatabaseSync(":memory:");
  own.exec("create table people (id integer primary key, name text); insert into people values (1, 'Ada'), (2, null)");
  const database: MoveDatabase = sqliteDatabase(own);
  const { rows, empty } = await plan(database, DEFINITION);
  assert.deepEqual([rows, empty, STAGES.planned.next], [2, 1, "start"]);
  own.close();
};

/** What the compiler is to refuse. */
export function misuse(): void {
  // @ts-expect-error a database is not its path
  sqliteDatabase("people.sqlite");
  // @ts-expect-error a move has columns
  ({ name: "people", table: "people", key: "id", collection: "people" }) satisfies MoveDefinition;
}
