/**
 * Tags and several processes: values that are to be unique, a key that is changed beside traffic, and builds that are
 * killed. Each more often in the long tests.
 */
import { describe, it } from "node:test";
import { fileServer } from "../postgres/support/storage.ts";
import { temporaryFolder } from "../support/storage.ts";
import { postgresPlace, sqlitePlace } from "./support/places.ts";
import { buildKilled, keyChangedUnderLoad, oneWins } from "./support/processes.ts";

const server = await fileServer();

describe("of fifty inserts of one value by two processes exactly one wins", () => {
  it("in files of SQLite", async (t) => oneWins(t, await sqlitePlace(t), 8));
  it("in PostgreSQL", async (t) => oneWins(t, await postgresPlace(t, server), 8));
});

describe("while the key of the indexes is changed, what is written is found, and what was is not", () => {
  it("in files of SQLite", async (t) => keyChangedUnderLoad(t, await sqlitePlace(t), 3));
  it("in PostgreSQL", async (t) => keyChangedUnderLoad(t, await postgresPlace(t, server), 3));
});

it("a build that is killed is gone on with by another process", async (t) =>
  buildKilled(t, await temporaryFolder(t), 3));
