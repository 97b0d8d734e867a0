// Processes of a vault with an audit, killed 200 times: whoever carries entries to the log while others write and read,
// and one that does all of it. The log has each entry once, and everything that was acknowledged; nobody is told that
// anything was set back.
import { test } from "node:test";
import { sequencerKilled, vaultKilled } from "../support/faults/audit-killed.ts";
import { inFiles, onServer } from "../support/faults/audited-place.ts";

const KILLS = Number(process.env["STRONGROOM_KILLS"] ?? 200);
/** A process over PostgreSQL takes longer to begin, and dies no otherwise. */
const KILLS_OF_POSTGRES: number = Math.ceil(KILLS / 4);

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
