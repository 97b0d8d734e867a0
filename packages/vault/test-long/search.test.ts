/**
 * Tags and several processes, as often as it takes (test/search/processes.test.ts).
 */
import { describe, it } from "node:test";
import { fileServer } from "../test/postgres/support/storage.ts";
import { postgresPlace, sqlitePlace } from "../test/search/support/places.ts";
import { buildKilled, keyChangedUnderLoad, oneWins } from "../test/search/support/processes.ts";
import { temporaryFolder } from "../test/support/storage.ts";

const server = await fileServer();
const ROUNDS = Number(process.env["STRONGROOM_TEST_UNIQUE_ROUNDS"] ?? 100);
const CHANGES = Number(process.env["STRONGROOM_TEST_KEY_CHANGES"] ?? 20);
const KILLS = Number(process.env["STRONGROOM_TEST_BUILD_KILLS"] ?? 20);

describe(`of fifty inserts of one value by two processes exactly one wins, ${ROUNDS} times`, () => {
  it("in files of SQLite", async (t) => oneWins(t, await sqlitePlace(t), ROUNDS));
  it("in PostgreSQL", async (t) => oneWins(t, await postgresPlace(t, server), ROUNDS));
});

describe(`while the key of the indexes is changed ${CHANGES} times, what is written is found`, () => {
  it("in files of SQLite", async (t) => keyChangedUnderLoad(t, await sqlitePlace(t), CHANGES));
  it("in PostgreSQL", async (t) => keyChangedUnderLoad(t, await postgresPlace(t, server), CHANGES));
});

it(`a build that is killed ${KILLS} times is gone on with`, async (t) =>
  buildKilled(t, await temporaryFolder(t), KILLS));
