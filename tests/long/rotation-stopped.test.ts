// Processes that stand still between a wrap and its commit while a rotation goes by, 100 times each: not one row comes
// under the key that was retired meanwhile.
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../support/faults/folder.ts";
import { prepareKeyedTables } from "../support/faults/keyed-place.ts";
import type { KeyedPlace } from "../support/faults/keyed-place.ts";
import { workerStopped, writerStopped } from "../support/faults/rotation-stopped.ts";
import { startPostgres } from "../support/postgres/server.ts";

const STOPS = Number(process.env["STRONGROOM_FAULT_STOPS"] ?? 100);

async function inFiles(t: TestContext): Promise<KeyedPlace> {
  const folder = await temporaryFolder(t);
  return {
    records: { kind: "sqlite", path: join(folder, "records.sqlite") },
    keys: { kind: "sqlite", path: join(folder, "keys.sqlite") },
  };
}

async function onServer(t: TestContext): Promise<KeyedPlace> {
  const { url } = await startPostgres(t);
  const place = { kind: "postgres", url, connections: 4 } as const;
  return { records: place, keys: place };
}

for (const [store, placeOf] of Object.entries({ SQLite: inFiles, PostgreSQL: onServer })) {
  test(`a writer stopped ${STOPS} times over a rotation, ${store}`, async (t) => {
    const place = await placeOf(t);
    await prepareKeyedTables(place);
    await writerStopped(t, place, STOPS);
  });

  test(`a worker stopped ${STOPS} times until others have gone on, ${store}`, async (t) => {
    const place = await placeOf(t);
    await prepareKeyedTables(place);
    await workerStopped(t, place, STOPS);
  });
}
