// The runs of tests/long that break stores which many processes share, each for a moment.
import { join } from "node:path";
import { after, before, test } from "node:test";
import { flipsUnderWriters } from "../support/faults/flips.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { lostAnswers } from "../support/faults/lost-answers.ts";
import { manyWriters } from "../support/faults/many-writers.ts";
import { type Place, preparePlace } from "../support/faults/place.ts";
import { stoppedOverFlips } from "../support/faults/stopped.ts";
import { PostgresServer } from "../support/postgres/server.ts";

let server: PostgresServer;
before(async () => {
  server = await PostgresServer.start({ settings: { max_connections: "200" } });
});
after(() => server[Symbol.asyncDispose]());

async function database(): Promise<Place> {
  const place = { kind: "postgres", url: await server.createDatabase(), connections: 4 } as const;
  await preparePlace(place);
  return place;
}

const BRIEF = { records: 20, processes: 2, writersEach: 4, seconds: 3, killEveryMs: 1000 };

test("writers in SQLite whose processes are killed lose no update", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  await manyWriters(t, { ...BRIEF, place: { kind: "sqlite", path }, troubles: [] });
});

test("writers in PostgreSQL whose processes and connections are killed lose no update", async (t) => {
  const place = await database();
  const url = place.kind === "postgres" ? place.url : "";
  const terminate = { name: "rounds of terminated backends", everyMs: 300, make: () => server.terminateBackends(url) };
  await manyWriters(t, { ...BRIEF, place, troubles: [terminate] });
});

test("lost answers to a commit, and requests that come late or never, are neither duplicates nor conflicts", async (t) => {
  await lostAnswers(t, server, { "lose-answer": 40, "lose-request": 10, "keep-request": 10 });
});

for (const way of ["put", "read committed", "repeatable read", "serializable"] as const)
  test(`no row comes late over flips of the key set in PostgreSQL: ${way}`, async (t) => {
    await flipsUnderWriters(t, { place: await database(), flips: 6, processes: 1, writersEach: 8, way });
  });

test("no row comes late over flips of the key set in SQLite", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  await flipsUnderWriters(t, { place: { kind: "sqlite", path }, flips: 10, processes: 2, writersEach: 4, way: "put" });
});

test("a writer that stands still over a flip writes nothing under the set of before", async (t) => {
  await stoppedOverFlips(t, await database(), 4);
});
