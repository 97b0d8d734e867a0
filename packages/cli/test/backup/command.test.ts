// The commands beside a real `strongroom up`: a backup, whether it is one, a drill, a restore, and what is refused.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { SubjectId, SubjectRow } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { runCommand } from "../support/command.ts";
import { type Ended, type Installation, startInstallation, temporaryFolder } from "../support/installation.ts";
import { runTranscript } from "../support/transcript.ts";

const TRANSCRIPT = fileURLToPath(new URL("../transcripts/backup.txt", import.meta.url));
const ROOT_KEY = ["--root-key-file", "strongroom-data/kms/root.key"];

describe("backup and restore", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  let env: Readonly<Record<string, string>>;
  const at = (name: string): string => join(folder.path, name);
  const run = (args: readonly string[]): Promise<Ended> => runCommand(args, { cwd: folder.path, env });
  const start = (...args: string[]): Promise<Installation> => startInstallation(folder.path, args, { env });

  before(async () => {
    folder = await temporaryFolder();
    env = { XDG_STATE_HOME: at("state"), STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000", STRONGROOM_DEADLINE_MS: "20000" };
    installation = await start();
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
  });

  it("beside a service that runs", async () => {
    assert.ok((await runTranscript(readFileSync(TRANSCRIPT, "utf8"), folder.path, env)) > 5);
    assert.deepEqual(readdirSync(at("monday")).sort(), [
      "audit.sqlite",
      "erasures.ndjson",
      "keys.json",
      "keys.sqlite",
      "kms.sqlite",
      "manifest.json",
      "manifest.proof",
      "records.sqlite",
    ]);
    assert.deepEqual(
      readdirSync(folder.path).filter((name) => name.startsWith(".")),
      [],
      "nothing of a drill is left",
    );
  });

  it("of a vault that is stopped", async () => {
    // Of a version of before is told below.
    const stdin = JSON.stringify({ name: "Ada, Countess" });
    assert.equal((await runCommand(["put", "people", "ada"], { cwd: folder.path, env, stdin })).code, 0);
    assert.equal(await installation.stop(), 0);
    assert.doesNotMatch(installation.said(), /AUDIT/);
    assert.equal((await run(["backup", "tuesday"])).code, 0);
    for (const args of [
      ["--check", "tuesday"],
      ["--drill", "tuesday"],
    ])
      assert.equal((await run(["backup", ...args])).code, 0, args[0]);
  });

  it("tell in a drill of an older version that does not open, and of nothing else", async () => {
    const path = at("strongroom-data/records.sqlite");
    const ofAda = "record = (select record from records where id = 'ada')";
    const change = (message: string): void => {
      using database = new DatabaseSync(path);
      database.exec(`update versions set message = ${message} where ${ofAda} and version = 1`);
    };
    using database = new DatabaseSync(path);
    const whole = database.prepare(`select hex(message) as hex from versions where ${ofAda} and version = 1`).get();
    change("cast(substr(message, 1, length(message) - 2) || x'0000' as blob)");
    const drilled = await run(["backup", "--drill", "--json"]);
    assert.equal(drilled.code, 5, drilled.stderr);
    const { verification } = JSON.parse(drilled.stdout) as { readonly verification: Record<string, unknown> };
    assert.deepEqual([verification["verdict"], verification["problems"]], ["problems", { "record-tampered": 1 }]);
    assert.match(drilled.stderr, /drill-failed/);
    change(`unhex('${String(whole?.["hex"])}')`);
    assert.equal((await run(["backup", "--drill", "--sample", "100"])).code, 0);
  });

  it("open for a sample what is in it, and build no indexes, which are of everything", async () => {
    const declared = { collections: { people: { fields: { name: { find: "exact", values: 1_000_000 } } } } };
    writeFileSync(at("find.json"), JSON.stringify(declared));
    for (const [sample, builds] of [
      [[], true],
      [["--sample", "1"], false],
    ] as const) {
      const args = ["backup", "--drill", "tuesday", ...sample, "--config", "find.json"];
      const { code, stderr } = await runCommand(args, { cwd: folder.path, env, columns: 120 });
      assert.equal(code, 0, stderr);
      assert.equal(stderr.includes("indexes of people"), builds, stderr);
    }
  });

  it("refuse what is no backup, and a root key that is not there", async () => {
    cpSync(at("tuesday"), at("mixed"), { recursive: true });
    cpSync(at("monday/records.sqlite"), at("mixed/records.sqlite"));
    const restore = (from: string, ...more: string[]): Promise<Ended> =>
      run(["restore", from, "--data-dir", "new", "--reason", "a test", ...more]);
    assert.equal((await restore("mixed", ...ROOT_KEY)).code, 5);
    assert.equal((await restore("nowhere", ...ROOT_KEY)).code, 2);
    assert.match((await restore("tuesday")).stderr, /root key of the KMS is not in the backup/);
    writeFileSync(at("other.key"), `${"00".repeat(32)}\n`, { mode: 0o600 });
    assert.notEqual((await restore("tuesday", "--root-key-file", "other.key")).code, 0);
    assert.ok(!existsSync(at("new")));
    assert.equal(
      (await run(["restore", "tuesday", ...ROOT_KEY, "--reason", "a test"])).code,
      4,
      "the folder is not new",
    );
    rmSync(at("mixed"), { recursive: true });
  });

  it("are refused by the witness where somebody copied the files by hand", async () => {
    cpSync(at("strongroom-data"), at("by-hand"), { recursive: true });
    for (const name of ["records.sqlite", "keys.sqlite", "audit.sqlite"]) {
      cpSync(at(`monday/${name}`), at(`by-hand/${name}`));
      rmSync(at(`by-hand/${name}.mark`));
    }
    await assert.rejects(start("--data-dir", "by-hand"), /store-rolled-back/);
    rmSync(at("by-hand"), { recursive: true });
  });

  it("make a vault that starts without an alarm, and holds what a newer ledger says", async () => {
    const records = await sqliteStore(at("strongroom-data/records.sqlite"));
    const [bob, ada] = await records.subjects.newest(2);
    await records.close();
    const lines = [
      { person: bob?.id, state: "restricted" },
      { person: randomUUID(), state: "erased", at: "2030" },
      ...["restricted", "active"].map((state) => ({ person: ada?.id, state })),
    ];
    writeFileSync(at("ledger"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const ended = await run([
      ...["restore", "monday", "--data-dir", "new", "--reason", "the disk failed", "--erasures", "ledger"],
      ...ROOT_KEY,
      "--json",
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual(report["erasures"], { restricted: 1, erasing: 0, erased: 0, unchanged: 0, unknown: 1 });
    assert.equal((report["witnesses"] as readonly { readonly told: boolean }[])[0]?.told, true);
    const restored = await start("--data-dir", "new", ...ROOT_KEY);
    try {
      assert.equal((await run(["get", "people", "ada", "--data-dir", "new"])).stdout, '{"name":"Ada"}\n');
      assert.match((await run(["get", "people", "bob", "--data-dir", "new"])).stderr, /subject-restricted/);
      assert.equal((await run(["doctor", "--data-dir", "new"])).code, 0);
    } finally {
      assert.equal(await restored.stop(), 0);
    }
    assert.doesNotMatch(restored.said(), /AUDIT/);
    await assert.rejects(start(), /store-rolled-back/, "the one that was backed up does not go on beside it");
  });

  it("have nothing left of who was erased since, and the restore says so", async () => {
    const people = async (folder: string, of?: SubjectId): Promise<readonly (SubjectRow | null)[]> => {
      const records = await sqliteStore(at(`${folder}/records.sqlite`));
      const found = await (of === undefined ? records.subjects.newest(1) : records.subjects.get([of]));
      await records.close();
      return found;
    };
    const [bob] = await people("strongroom-data");
    assert.ok(bob);
    writeFileSync(at("ledger"), `${JSON.stringify({ person: bob.id, state: "erased" })}\n`);
    const ended = await run([
      ...["restore", "monday", "--data-dir", "newest", "--reason", "the disk failed", "--erasures", "ledger"],
      ...ROOT_KEY,
    ]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /\b1 erased, .* are erased are gone\./);
    assert.equal((await people("newest", bob.id))[0]?.state, "erased");
  });
});
