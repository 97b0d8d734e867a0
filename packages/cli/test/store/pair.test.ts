// Two stores that are no pair: a start refuses before it makes anything, `doctor` and `store status` say the same, and
// whoever only looks changes nothing, also in a folder of the version before.
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import type { GateState } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { recordsOfBefore } from "../../../vault/test/support/records-of-before.ts";
import { pairProblem } from "../../src/store/pair.ts";
import type { SeenGate } from "../../src/store/seen-gate.ts";
import { runCommand } from "../support/command.ts";
import { type Ended, startInstallation, temporaryFolder } from "../support/installation.ts";

const gate = (vault: string, peer: string | null): GateState =>
  ({ vault, peer, epoch: 1, digest: null, minReader: 2, minWriter: 2 }) as unknown as GateState;

describe("two gates", () => {
  const cases: readonly (readonly [what: string, records: SeenGate, keys: SeenGate, code: string | null])[] = [
    ["of a pair", gate("r", "k"), gate("k", "r"), null],
    ["of which neither knows another", gate("r", null), gate("k", null), null],
    ["of which the keys were bound and the records not yet", gate("r", null), gate("k", "r"), null],
    ["of records without a key store yet", gate("r", null), "absent", null],
    ["of an empty folder", "absent", "absent", null],
    ["of records whose key store is gone", gate("r", "k"), "absent", "key-store-lost"],
    ["of records with another key store", gate("r", "k"), gate("new", null), "key-store-lost"],
    ["of keys that are others'", gate("r", null), gate("k", "other"), "key-store-foreign"],
    ["of keys whose records are gone", "absent", gate("k", "r"), "key-store-foreign"],
    ["of which one cannot be told", gate("r", "k"), "unusable", null],
  ];
  for (const [what, records, keys, code] of cases)
    it(`${what}: ${code ?? "nothing speaks against them"}`, () => {
      assert.equal(pairProblem(records, keys)?.code ?? null, code);
    });
});

/** Every file's content, and that no other is there. What SQLite itself needs to read a file beside others is not one. */
async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).filter((name) => /\.(?:sqlite|mark|reserve|json)$/.test(name)).toSorted();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "base64")] as const)),
  );
}

test("a start without the key store of its records makes no other, and everybody says which is missing", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const run = (line: string): Promise<Ended> => runCommand(line.split(" "), { cwd: folder.path });
  const first = await startInstallation(folder.path);
  const { dataDir } = first.ready;
  t.after(() => first.stop());
  assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, stdin: "{}" })).code, 0);
  assert.equal(await first.stop(), 0);
  const backup = join(folder.path, "backup");
  await mkdir(backup);
  await cp(join(dataDir, "keys.sqlite"), join(backup, "keys.sqlite"));
  for (const end of ["", "-wal", "-shm", ".mark", ".reserve"])
    await rm(join(dataDir, `keys.sqlite${end}`), { force: true });

  const before = await contents(dataDir);
  await assert.rejects(startInstallation(folder.path), /keys\.sqlite: the records belong to a key store[^]*Configure/);
  assert.match((await run("store status")).stdout, /Problem +the records belong to a key store.*\[key-store-lost\]/);
  assert.match((await run("doctor")).stdout, /FAIL {2}Records and keys +.*\[key-store-lost\]/);
  const migrated = await run("store migrate");
  assert.match(migrated.stderr, /key-store-lost/);
  assert.deepEqual(await contents(dataDir), before, "nothing is made");

  await cp(join(backup, "keys.sqlite"), join(dataDir, "keys.sqlite"));
  const again = await startInstallation(folder.path);
  t.after(() => again.stop());
  assert.equal((await run("get people ada")).stdout, "{}\n");
  assert.doesNotMatch((await run("store status")).stdout, /Problem/);
  assert.equal(await again.stop(), 0);

  // The file of the records in its place is none of a newer version.
  const misplaced = join(folder.path, "misplaced");
  await mkdir(misplaced, { mode: 0o700 });
  for (const name of ["records", "keys"]) await cp(join(dataDir, "records.sqlite"), join(misplaced, `${name}.sqlite`));
  assert.match(
    (await run("store status --data-dir misplaced")).stdout,
    /SQLite database, but not a Strongroom key store/,
  );

  // Set back beside its own mark: it is the key store, so it is not called lost.
  await runCommand(["get", "people", "ada"], { cwd: folder.path });
  await rm(join(dataDir, "keys.sqlite"));
  const doctor = (await run("doctor")).stdout;
  assert.match(doctor, /FAIL {2}Key store +.*\[store-set-back\]/);
  assert.doesNotMatch(doctor, /key-store-lost/);
  await assert.rejects(
    startInstallation(folder.path),
    /keys\.sqlite: [^]*store-set-back|store-set-back[^]*keys\.sqlite: /,
  );
});

test("a look at the folder of the version before leaves it as it is", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const dataDir = join(folder.path, "strongroom-data");
  await mkdir(dataDir, { mode: 0o700 });
  recordsOfBefore(join(dataDir, "records.sqlite"));
  const before = await contents(dataDir);
  const doctor = await runCommand(["doctor"], { cwd: folder.path });
  assert.match(doctor.stdout, /warn {2}Database +of the version before; to do: 0005-subjects/);
  const status = await runCommand(["store", "status"], { cwd: folder.path });
  assert.match(status.stdout, /to migrate: 0005-subjects/);
  assert.deepEqual(await contents(dataDir), before, "neither migrated, nor marked");
});
