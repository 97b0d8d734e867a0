// Where the raw material of keys is, after a day in which every operation was used: nowhere on the disk, in no answer,
// no log, no audit, no backup; in the memory of an idle process only what docs/kms.md says. Linux: memory is read from
// a core dump that gdb's gcore writes, and from /proc.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { backup, createKms } from "@strongroom/kms";
import { Sealer, backingKeyIdentity, importKeyIdentity } from "../src/crypto/sealing.ts";
import { OPERATIONS } from "../src/operations/table.ts";
import { META, SIGNING_KEY } from "../src/store/meta.ts";
import { serving } from "../test/command/serving.ts";
import { temporaryDirectory } from "../test/running-kms.ts";
import { NeedleIndex } from "./key-day/needle-index.ts";
import { hasGcore, hasProcMemory, searchCoreDump, searchMemory } from "./key-day/process-memory.ts";
import type { Searched } from "./key-day/process-memory.ts";
import { formsOf, piecesOf, secretParts } from "./key-day/secret-forms.ts";
import { liveTheDay } from "./key-day/the-day.ts";

const IDLE_MS = Number(process.env["STRONGROOM_IDLE_MS"] ?? 12_000);
const NOTHING: Readonly<Record<string, number>> = {};

/** Secrets by what they are; the same bytes count once. */
class Secrets {
  readonly index = new NeedleIndex();
  readonly #seen = new Set<string>();

  get count(): number {
    return this.#seen.size;
  }

  add(name: string, ...parts: readonly Buffer[]): void {
    const id = parts.map((part) => part.toString("hex")).join();
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    for (const piece of parts.flatMap(piecesOf)) {
      for (const [form, bytes] of formsOf(piece)) this.index.add(`${name}, ${form}`, bytes);
    }
  }
}

const rootKeyOf = (dataDir: string): Buffer =>
  Buffer.from(readFileSync(join(dataDir, "root.key"), "latin1").trim(), "hex");

/** Opens what the database holds sealed now, with the root key, for the sake of searching for it. */
function openSealed(dataDir: string, into: Secrets): void {
  const sealer = new Sealer(rootKeyOf(dataDir));
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  for (const row of database
    .prepare(
      "SELECT b.*, k.record AS key FROM backing_keys b JOIN keys k USING (region, key_id) WHERE sealed IS NOT NULL",
    )
    .all()) {
    const { spec, usage } = JSON.parse(String(row["key"])) as { spec: string; usage: string };
    const identity = backingKeyIdentity(
      { region: String(row["region"]), keyId: String(row["key_id"]), spec },
      String(row["material_id"]),
    );
    into.add(`key ${spec} ${usage}`, ...secretParts(spec, sealer.open(row["sealed"] as Uint8Array, identity)!));
  }
  for (const row of database.prepare("SELECT * FROM import_keys").all()) {
    const identity = importKeyIdentity(
      { region: String(row["region"]), keyId: String(row["key_id"]) },
      String(row["token_id"]),
    );
    into.add(
      "private key of an import",
      ...secretParts("RSA_2048", sealer.open(row["sealed"] as Uint8Array, identity)!),
    );
  }
  database.close();
}

/** The sealed form of every backing key there is. */
function sealedRows(dataDir: string): ReadonlyMap<string, { keyId: string; sealed: Buffer }> {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const rows = database
    .prepare("SELECT region, key_id, material_id, sealed FROM backing_keys WHERE sealed IS NOT NULL")
    .all();
  database.close();
  return new Map(
    rows.map((row) => [
      `${String(row["region"])} ${String(row["material_id"])}`,
      { keyId: String(row["key_id"]), sealed: Buffer.from(row["sealed"] as Uint8Array) },
    ]),
  );
}

/** What holds the server up beside keys: in its memory by design. */
function ofTheServer(dataDir: string): Secrets {
  const secrets = new Secrets();
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
  const sealed = database.prepare("SELECT value FROM meta WHERE name = ?").get(META.signingKey)!["value"] as Uint8Array;
  database.close();
  secrets.add("the root key", rootKeyOf(dataDir));
  secrets.add("the audit log's key", new Sealer(rootKeyOf(dataDir)).open(sealed, SIGNING_KEY)!);
  return secrets;
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

const counts = (found: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries([...found].sort());

test(
  "after a day with every operation, raw key material is nowhere but where docs/kms.md says",
  { skip: !hasProcMemory && "needs /proc", timeout: 1_200_000 },
  async (t) => {
    const dataDir = await temporaryDirectory(t);
    const elsewhere = await temporaryDirectory(t);
    // The parser of TypeScript is WebAssembly, which sets aside 10 GiB of addresses; a core dump would have them all.
    const before = process.env["NODE_OPTIONS"];
    process.env["NODE_OPTIONS"] = `${before ?? ""} --disable-wasm-trap-handler`;
    t.after(() => {
      if (before === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = before;
    });
    const server = await serving(
      t,
      "--data-dir",
      dataDir,
      "--region",
      "eu-west-1",
      "--region",
      "eu-west-2",
      "--allow-faults",
      "--log-level",
      "debug",
    );
    const pid = server.process.pid!;
    const [keys, passing] = [new Secrets(), new Secrets()];
    const sealed = new Map<string, { keyId: string; sealed: Buffer }>();
    let looks = 0;
    const day = await liveTheDay(server, () => {
      looks += 1;
      openSealed(dataDir, keys);
      for (const [id, row] of sealedRows(dataDir)) sealed.set(id, row);
    });
    await backup({ dataDir, to: join(elsewhere, "x.backup") });
    for (const { name, spec, material } of day.imported) keys.add(name, ...secretParts(spec, material));
    for (const { name, bytes } of day.handedOut) passing.add(`answered by ${name}`, bytes);
    for (const bytes of day.sent) passing.add("sent to Encrypt", bytes);
    const own = ofTheServer(dataDir);

    const all = [...OPERATIONS.values()].map((one) => one.name).sort();
    assert.deepEqual([...day.called.keys()].sort(), all, "every operation of the table was called, and no other");
    const calls = [...day.called.values()].reduce((sum, count) => sum + count, 0);
    t.diagnostic(
      `${calls} calls of all ${all.length} operations in 24 hours of virtual time, looked at ${looks} times`,
    );
    t.diagnostic(
      `searched for: ${keys.count} secrets of keys (${keys.index.size} byte strings), ${passing.count} data keys and plaintexts that passed through (${passing.index.size})`,
    );

    const disk = [...filesOf(dataDir), ...filesOf(elsewhere)];
    assert.ok(disk.some((path) => path.endsWith("kms.sqlite-wal")));
    for (const path of disk) {
      assert.deepEqual(counts(keys.index.inFile(path)), NOTHING, path);
      assert.deepEqual(counts(passing.index.inFile(path)), NOTHING, path);
      assert.deepEqual([...own.index.inFile(path).keys()].length > 0, path.endsWith("root.key"), path);
    }
    t.diagnostic(
      `on the disk (${disk.length} files: database, log of the database, backup, credentials): 0; the root key in root.key alone`,
    );

    const gone = [...sealed].filter(([, { keyId }]) => day.destroyed.includes(keyId));
    assert.ok(gone.length >= day.destroyed.length);
    for (const [id, { sealed: bytes }] of gone) {
      for (const path of filesOf(dataDir))
        assert.equal(readFileSync(path).includes(bytes.subarray(13, 45)), false, `${id} in ${path}`);
    }
    t.diagnostic(`of ${gone.length} destroyed materials, sealed on the disk: 0`);

    const database = new DatabaseSync(join(dataDir, "kms.sqlite"), { readOnly: true });
    const audit = Buffer.from(
      database
        .prepare("SELECT event FROM audit ORDER BY seq")
        .all()
        .map((row) => String(row["event"]))
        .join("\n"),
    );
    database.close();
    const answers = Buffer.concat(day.answers);
    const said = Buffer.from(server.stderr());
    for (const [where, bytes] of Object.entries({ answers, audit, log: said })) {
      assert.deepEqual(counts(keys.index.in(bytes)), NOTHING, where);
      assert.deepEqual(counts(own.index.in(bytes)), NOTHING, where);
      if (where !== "answers") assert.deepEqual(counts(passing.index.in(bytes)), NOTHING, where);
    }
    assert.ok(passing.index.in(answers).size > 0, "the search finds what is there");
    t.diagnostic(
      `in ${day.answers.length} answers (${answers.length} bytes), the audit (${audit.length} bytes), the log (${said.length} bytes): 0`,
    );

    await sleep(IDLE_MS);
    const dumps: Record<string, (secrets: Secrets) => Searched> = {
      ...(hasGcore && {
        "core dump": (secrets: Secrets) => searchCoreDump(pid, join(elsewhere, "core"), secrets.index),
      }),
      memory: (secrets) => searchMemory(pid, secrets.index),
    };
    if (!hasGcore)
      t.diagnostic("no core dump: gcore, which comes with gdb, is not installed here; memory is read from /proc alone");
    for (const [where, search] of Object.entries(dumps)) {
      const ofKeys = search(keys);
      t.diagnostic(
        `${where} of the idle process, ${ofKeys.mebibytes.toFixed(0)} MiB: ${ofKeys.found.size} of the secrets of keys ${JSON.stringify(counts(ofKeys.found))}`,
      );
      assert.deepEqual(counts(ofKeys.found), NOTHING, where);
      const ofServer = search(own);
      t.diagnostic(`${where}: by design ${JSON.stringify(counts(ofServer.found))}`);
      assert.ok(
        [...ofServer.found.keys()].some((name) => name.startsWith("the root key, raw")),
        "the search finds what is there",
      );
      // Answers are wiped; what a client sends is text, which nobody can wipe (docs/kms.md).
      const passed = counts(search(passing).found);
      t.diagnostic(`${where}: of what passed through ${JSON.stringify(passed)}`);
      assert.deepEqual(
        Object.keys(passed).filter((name) => !name.startsWith("sent to Encrypt, base64")),
        [],
        where,
      );
    }

    assert.equal(await server.end("SIGTERM"), 0);
    for (const path of filesOf(dataDir))
      assert.deepEqual(counts(keys.index.inFile(path)), NOTHING, `${path}, after the end`);
    await withoutRootKey(dataDir, join(elsewhere, "copy"));
  },
);

/** The files without the root key, and with another one, open nothing. */
async function withoutRootKey(dataDir: string, copy: string): Promise<void> {
  mkdirSync(copy);
  cpSync(dataDir, copy, { recursive: true });
  rmSync(join(copy, "root.key"));
  const options = { dataDir: copy, regions: [{ name: "eu-west-1", port: 0 }] };
  await assert.rejects(createKms(options), { code: "root-key-missing" });
  writeFileSync(join(copy, "root.key"), `${"5".repeat(64)}\n`, { mode: 0o600 });
  await assert.rejects(createKms(options), { code: "root-key-wrong" });
  const sealer = new Sealer(Buffer.alloc(32, 0x55));
  const secrets = [...sealedRows(copy).values()];
  assert.ok(secrets.length > 0);
  for (const { sealed } of secrets) assert.equal(sealer.open(sealed, "any"), null);
}
