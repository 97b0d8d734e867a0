// Processes of a vault with an audit, killed 200 times: whoever carries entries to the log while others write and read,
// and one that does all of it. The log has each entry once, and everything that was acknowledged; nobody is told that
// anything was set back.
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { sequencerKilled, vaultKilled } from "../support/faults/audit-killed.ts";
import type { AuditedPlace } from "../support/faults/audited-place.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { startPostgres } from "../support/postgres/server.ts";

const KILLS = Number(process.env["STRONGROOM_KILLS"] ?? 200);
/** A process over PostgreSQL takes longer to begin, and dies no otherwise. */
const KILLS_OF_POSTGRES: number = Math.ceil(KILLS / 4);

async function inFiles(t: TestContext): Promise<AuditedPlace> {
  const folder = await temporaryFolder(t);
  const at = (name: string) => ({ kind: "sqlite", path: join(folder, `${name}.sqlite`) }) as const;
  return { records: at("records"), keys: at("keys"), log: at("audit") };
}

async function onServer(t: TestContext): Promise<AuditedPlace> {
  const { url } = await startPostgres(t);
  const place = { kind: "postgres", url, connections: 3 } as const;
  return { records: place, keys: place, log: place };
}

test(`${KILLS} sequencers killed over SQLite`, async (t) => {
  await sequencerKilled(t, { place: await inFiles(t), kills: KILLS });
});

test(`${KILLS_OF_POSTGRES} sequencers killed over PostgreSQL`, async (t) => {
  await sequencerKilled(t, { place: await onServer(t), kills: KILLS_OF_POSTGRES });
});

test(`${KILLS} processes killed with calls under way over SQLite`, async (t) => {
  await vaultKilled(t, { place: await inFiles(t), kills: KILLS });
});

test(`${KILLS_OF_POSTGRES} processes killed with calls under way over PostgreSQL`, async (t) => {
  await vaultKilled(t, { place: await onServer(t), kills: KILLS_OF_POSTGRES });
});
