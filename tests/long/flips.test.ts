// The key set is changed 400 times while eight writers write: not one row comes late.
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/faults/folder.ts";
import { flipsUnderWriters } from "../support/faults/flips.ts";
import { preparePlace } from "../support/faults/place.ts";
import { stoppedOverFlips } from "../support/faults/stopped.ts";
import { startPostgres } from "../support/postgres/server.ts";

const FLIPS = Number(process.env["STRONGROOM_FAULT_FLIPS"] ?? 400);
const EIGHT = { processes: 2, writersEach: 4, flips: FLIPS };

test("flips under eight writers in SQLite", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  await flipsUnderWriters(t, { ...EIGHT, place: { kind: "sqlite", path }, way: "put" });
});

for (const way of ["put", "read committed", "repeatable read", "serializable"] as const)
  test(`flips under eight writers in PostgreSQL: ${way}`, async (t) => {
    const server = await startPostgres(t);
    const place = { kind: "postgres", url: server.url, connections: 4 } as const;
    await preparePlace(place);
    await flipsUnderWriters(t, { ...EIGHT, place, way });
  });

const STOPS = Number(process.env["STRONGROOM_FAULT_STOPS"] ?? 50);

test("a writer that stands still between wrap and commit over a flip, in SQLite", async (t) => {
  await stoppedOverFlips(t, { kind: "sqlite", path: join(await temporaryFolder(t), "records.sqlite") }, STOPS);
});

test("a writer that stands still between wrap and commit over a flip, in PostgreSQL", async (t) => {
  const server = await startPostgres(t);
  const place = { kind: "postgres", url: server.url, connections: 4 } as const;
  await preparePlace(place);
  await stoppedOverFlips(t, place, STOPS);
});
