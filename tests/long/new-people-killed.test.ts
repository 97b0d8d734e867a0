// Two processes write about new people, the same ones, and are killed 200 times: no record is without its key, nobody is
// there twice, what was acknowledged is there, and the keys that were left without a record are listed.
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/faults/folder.ts";
import { newPeopleKilled } from "../support/faults/newcomers.ts";
import { startPostgres } from "../support/postgres/server.ts";

const KILLS = Number(process.env["STRONGROOM_KILLS"] ?? 200);

test(`${KILLS} processes killed over SQLite`, async (t) => {
  const folder = await temporaryFolder(t);
  const place = {
    records: { kind: "sqlite", path: join(folder, "records.sqlite") },
    keys: { kind: "sqlite", path: join(folder, "keys.sqlite") },
  } as const;
  await newPeopleKilled(t, { place, rounds: Math.ceil(KILLS / 2) });
});

test(`at least ${KILLS} connections broken off and processes killed over PostgreSQL`, async (t) => {
  const server = await startPostgres(t);
  const place = {
    records: { kind: "postgres", url: server.url, connections: 2 },
    keys: { kind: "postgres", url: server.url, connections: 2 },
  } as const;
  let broken = 0;
  const trouble = async (): Promise<void> => {
    broken += await server.terminateBackends().catch(() => 0);
  };
  await newPeopleKilled(t, { place, rounds: Math.ceil(KILLS / 8), trouble });
  t.diagnostic(`${broken} connections broken off`);
});
