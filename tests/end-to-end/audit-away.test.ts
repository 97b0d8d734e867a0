// The audit's stores are full, gone, locked, or take no writes while a vault is open: where no entry can be written or the
// log cannot be asked, nothing is given out; where only the log cannot be added to, entries wait in the outboxes and calls
// go on. When it is over the same vault goes on, and all that was given out is in the log.
import assert from "node:assert/strict";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { defer } from "../support/defer.ts";
import { AuditTrial, EVERYTHING, NOTHING } from "../support/faults/audit-trial.ts";
import { temporaryFolder } from "../support/faults/folder.ts";
import { smallVolume } from "../support/faults/volume.ts";
import { startPostgres } from "../support/postgres/server.ts";

/** In files; one of them in a folder of its own. */
async function inFiles(t: TestContext, apart: "log" | "records", folder?: string): Promise<[AuditTrial, string]> {
  const own = folder ?? (await temporaryFolder(t));
  const rest = await temporaryFolder(t);
  const at = (name: string) => ({ kind: "sqlite", path: join(name === apart ? own : rest, `${name}.sqlite`) }) as const;
  const trial = await AuditTrial.open(t, { records: at("records"), keys: at("keys"), log: at("log") });
  return [trial, at(apart).path];
}

/** The vault's own processes have the file for moments. */
const HOLD_MS = 5000;

/** Another program holds the file, until it is told to let go. */
function hold(t: TestContext, path: string): () => void {
  const other = new DatabaseSync(path, { timeout: HOLD_MS });
  other.exec("begin exclusive");
  const release = (): void => {
    if (other.isOpen) other.close();
  };
  defer(t, release);
  return release;
}

test("a log on a full disk: calls go on, and entries wait where they were written", async (t) => {
  const volume = await smallVolume(t, 12);
  if (volume === null) return;
  const [trial] = await inFiles(t, "log", volume.folder);
  await trial.vault.audit?.sequence();
  volume.fill(0);
  await trial.call("read");
  await trial.untilFault("store-full");
  for (let n = 0; n < 5; n++) assert.deepEqual(await trial.callAll(), EVERYTHING);
  const status = await trial.vault.audit?.status();
  assert.ok((status?.waiting ?? 0) >= 20 && (status?.waitingMs ?? 0) > 0, "whoever watches sees it");
  volume.empty();
  await told(t, trial);
});

test("a log whose file is away: nothing is given out, nothing is written, and the vault says that it is not well", async (t) => {
  const [trial, path] = await inFiles(t, "log");
  renameSync(path, `${path}.away`);
  for (let n = 0; n < 3; n++) assert.deepEqual(await trial.callAll(), NOTHING);
  await assert.rejects(trial.vault.ping(), { code: "audit-unavailable" });
  renameSync(`${path}.away`, path);
  await told(t, trial);
});

test("a log whose folder is away", async (t) => {
  const folder = join(await temporaryFolder(t), "log");
  mkdirSync(folder);
  const [trial] = await inFiles(t, "log", folder);
  renameSync(folder, `${folder}.away`);
  assert.deepEqual(await trial.callAll(), NOTHING);
  renameSync(`${folder}.away`, folder);
  await told(t, trial);
});

test("a log that another program holds for seconds: calls go on", async (t) => {
  const [trial, path] = await inFiles(t, "log");
  const release = hold(t, path);
  assert.deepEqual(await trial.callAll(), EVERYTHING);
  await sleep(2000);
  assert.deepEqual(await trial.callAll(), EVERYTHING);
  assert.ok(((await trial.vault.audit?.status())?.waiting ?? 0) > 0);
  release();
  await told(t, trial);
});

test("an outbox on a full disk: nothing is given out", async (t) => {
  const volume = await smallVolume(t, 12);
  if (volume === null) return;
  const [trial] = await inFiles(t, "records", volume.folder);
  volume.fill(0);
  await trial.until("read", "audit-unavailable");
  for (let n = 0; n < 3; n++) assert.deepEqual(await trial.callAll(), { ...NOTHING, write: "store-full" });
  volume.empty();
  await told(t, trial);
});

test("an outbox that another program holds: reads wait for their entry, and not for ever", async (t) => {
  const [trial, path] = await inFiles(t, "records");
  const release = hold(t, path);
  const waiting = trial.call("read");
  assert.equal(await Promise.race([waiting, sleep(1000, "waits")]), "waits");
  release();
  assert.equal(await waiting, "done");
  const again = hold(t, path);
  assert.deepEqual(await trial.callAll(), { ...NOTHING, write: "store-failed" });
  again();
  await told(t, trial);
});

test("a log on a server that is stopped, that takes no writes, and whose tables somebody holds", async (t) => {
  const [records, server] = await Promise.all([startPostgres(t), startPostgres(t)]);
  const at = ({ url }: typeof server) => ({ kind: "postgres", url, connections: 2 }) as const;
  const trial = await AuditTrial.open(t, { records: at(records), keys: at(records), log: at(server) });

  await server.stop("immediate");
  await trial.until("read", "audit-unavailable");
  assert.deepEqual(await trial.callAll(), NOTHING);
  await assert.rejects(trial.vault.ping(), { code: "audit-unavailable" });
  await server.start();
  await trial.until("read", "done");

  await server.query("alter role strongroom set default_transaction_read_only = on");
  await server.terminateBackends();
  await trial.until("read", "done");
  trial.faults.clear();
  await trial.untilFault("store-failed");
  assert.deepEqual(await trial.callAll(), EVERYTHING, "what waits is durable where it waits");
  await server.query("alter role strongroom reset default_transaction_read_only");
  await server.terminateBackends();
  await trial.until("read", "done");

  const other = new pg.Client({ connectionString: server.url });
  await other.connect();
  defer(t, () => other.end());
  await other.query("begin");
  await other.query("lock table strongroom_audit.heads in access exclusive mode");
  const waiting = trial.call("read");
  assert.equal(await Promise.race([waiting, sleep(500, "waits")]), "waits");
  await other.query("rollback");
  assert.equal(await waiting, "done");

  await records.query("alter role strongroom set default_transaction_read_only = on");
  await records.terminateBackends();
  await trial.until("read", "audit-unavailable");
  assert.notEqual(await trial.call("write"), "done");
  await records.query("alter role strongroom reset default_transaction_read_only");
  await records.terminateBackends();
  await told(t, trial);
});

/** That it is over. */
async function told(t: TestContext, trial: AuditTrial): Promise<void> {
  t.diagnostic(`${await trial.requireBack()} calls given out, all in the log`);
}
