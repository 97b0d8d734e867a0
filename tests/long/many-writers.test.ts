// Sixteen writers on a hundred records, in processes that are killed, over stores that are lost and come back: no update
// is lost, no record torn, and what all of them saw can have happened one after the other.
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/faults/folder.ts";
import { manyWriters } from "../support/faults/many-writers.ts";
import { preparePlace } from "../support/faults/place.ts";
import { startPostgres } from "../support/postgres/server.ts";

const SECONDS = Number(process.env["STRONGROOM_FAULT_SECONDS"] ?? 60);
const SIXTEEN = { records: 100, processes: 4, writersEach: 4, seconds: SECONDS, killEveryMs: 2000 };

test("sixteen writers on a hundred records in SQLite, their processes killed", async (t) => {
  const path = join(await temporaryFolder(t), "records.sqlite");
  await manyWriters(t, { ...SIXTEEN, place: { kind: "sqlite", path }, troubles: [] });
});

test("sixteen writers on a hundred records in PostgreSQL, their processes, connections and server killed", async (t) => {
  const server = await startPostgres(t);
  const place = { kind: "postgres", url: server.url, connections: 4 } as const;
  await preparePlace(place);
  const lose = async (): Promise<void> => {
    await server.kill();
    await server.start();
  };
  const troubles = [
    { name: "rounds of terminated backends", everyMs: 500, make: () => server.terminateBackends().catch(() => 0) },
    { name: "servers killed", everyMs: (SECONDS * 1000) / 4, make: lose },
  ];
  await manyWriters(t, { ...SIXTEEN, place, troubles });
});
