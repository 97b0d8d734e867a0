// The database of an installation in the hands of someone else: what its commands, its pages and its next start say.
import assert from "node:assert/strict";
import { copyFile, readFile, rename, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { runCommand } from "../support/command.ts";
import { type Ended, runProcess, startInstallation, temporaryFolder, until } from "../support/installation.ts";

function forge(path: string, ...statements: readonly string[]): void {
  using database = new DatabaseSync(path);
  database.exec("pragma ignore_check_constraints = on");
  for (const statement of statements) database.exec(statement);
}

/** The rows of a record in the collection `people`. */
const of = (id: string): string =>
  `where record = (select record from records where collection = 'people' and id = '${id}')`;

const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

interface Listed {
  readonly items: readonly { readonly id: string }[];
  readonly damaged: readonly { readonly id: string; readonly code: string }[];
}

describe("a database that somebody else wrote to", () => {
  it("is listed and exported but for what is damaged, which is named and ends the command with 5", async (t) => {
    await using folder = await temporaryFolder();
    const installation = await startInstallation(folder.path);
    t.after(() => installation.stop());
    const run = (...args: readonly string[]): Promise<Ended> => runCommand(args, { cwd: folder.path });
    const people = ["ada", "bob", "cy", "dan", "eve"].map((id) => `${JSON.stringify({ id })}\n`).join("");
    await runCommand(["import", "people", "-", "--format", "ndjson", "--id", "id"], {
      cwd: folder.path,
      stdin: people,
    });
    const path = join(installation.ready.dataDir, "records.sqlite");
    forge(
      path,
      `update heads set version = 9223372036854775807 ${of("ada")}`,
      `update heads set updated_at = char(27) || '[31m' ${of("bob")}`,
      `update versions set message = x'00' ${of("cy")}`,
      "insert into records values (901, 'people', char(27) || ']0;x' || char(7)), (902, char(27) || '[2J', 'x')",
      "insert into heads (record, version, state, updated_at) values " +
        "(901, 1, 'live', '2026-01-01T00:00:00.000Z'), (902, 1, 'live', '2026-01-01T00:00:00.000Z')",
      // A version of nobody's, which owes a wrap since a day that there never was.
      `insert into wrap_sets values (77, 'x', '{"wraps":[],"target":1,"missing":[["k","r","x"]]}')`,
      "insert into versions values (903, 903, -1, '', 0, 77, -5, 9223372036854775807, '', '', x'00')",
    );
    const escaped = String.raw`\u{1b}]0;x\u{7}`;

    for (const all of [[], ["--all"]]) {
      const listed = await run("list", "people", "--json", ...all);
      assert.equal(listed.code, 5, listed.stderr);
      const { items, damaged } = JSON.parse(listed.stdout) as Listed;
      assert.deepEqual(
        items.map(({ id }) => id),
        ["cy", "dan", "eve"],
      );
      assert.deepEqual(
        damaged.map(({ id }) => id),
        [escaped, "ada", "bob"],
      );
      assert.match(listed.stderr, /records-damaged/);
    }
    const shown = await run("list", "people");
    assert.equal(shown.code, 5);
    assert.match(shown.stdout, /dan/);
    assert.match(shown.stderr, /ada: record-tampered/);
    assert.ok(!/[\u0007\u001b]/.test(shown.stdout + shown.stderr), "nothing steers the terminal");
    assert.deepEqual(JSON.parse((await run("list", "--json")).stdout), {
      collections: [{ collection: "people", records: 6 }],
    });

    for (const format of ["ndjson", "csv"]) {
      const file = join(folder.path, `people.${format}`);
      const exported = await run("export", "people", file, "--json");
      assert.equal(exported.code, 5, exported.stderr);
      const report = JSON.parse(exported.stdout) as { readonly exported: number; readonly refused: Listed["damaged"] };
      assert.equal(report.exported, 2);
      assert.deepEqual(new Set(report.refused.map(({ id }) => id)), new Set([escaped, "ada", "bob", "cy"]));
      assert.equal(lines(await readFile(file, "utf8")).filter((line) => /dan|eve/.test(line)).length, 2);
    }
    const piped = await run("export", "people");
    assert.deepEqual([piped.code, lines(piped.stdout).length], [5, 2]);
    assert.match(piped.stderr, /cy: record-tampered/);

    const debt = await run("regions", "debt", "--json");
    assert.equal(debt.code, 5);
    assert.deepEqual((JSON.parse(debt.stdout) as Listed).damaged, [
      { kind: "version", collection: "", id: "", code: "record-tampered" },
    ]);
    assert.equal((await run("regions", "--json")).code, 0, "a debt with an odd date hides nothing");

    const metrics = await (await fetch(`${installation.ready.url}/metrics`)).text();
    assert.match(metrics, /^strongroom_disk_free_bytes \d{6,}$/m);
    assert.match(metrics, /strongroom_damaged_records_total\{route="\/v1\/records\/:collection"\} \d+/);
    const log = await readFile(join(installation.ready.dataDir, "strongroom.log"), "utf8");
    assert.match(log, /"damaged":3/);
    assert.doesNotMatch(log, /"(?:ada|bob|cy)"/, "by count alone");
    await run("rm", "people", "ada");
    assert.equal(await installation.stop(), 0);
  });

  it("is not ready once its file is another or older one, and no start takes it", async (t) => {
    await using folder = await temporaryFolder();
    const installation = await startInstallation(folder.path);
    t.after(() => installation.stop());
    const { dataDir, url } = installation.ready;
    const path = join(dataDir, "records.sqlite");
    const put = (id: string): Promise<Ended> => runCommand(["put", "people", id], { cwd: folder.path, stdin: "{}" });
    const ready = async (): Promise<{ readonly status: number; readonly store: unknown }> => {
      const answer = await fetch(`${url}/readyz`);
      return { status: answer.status, store: ((await answer.json()) as { readonly store: unknown }).store };
    };
    const doctor = async (): Promise<string> =>
      (await runCommand(["doctor"], { cwd: folder.path })).stdout
        .split("\n")
        .filter((line) => line.includes("Database"))
        .join();

    assert.equal((await put("ada")).code, 0);
    assert.match(await doctor(), /as this version makes it/);
    await copyFile(path, `${path}.older`);
    assert.equal((await put("bob")).code, 0);
    await rename(path, `${path}.away`);
    await copyFile(`${path}.older`, path);
    assert.deepEqual(await ready(), { status: 503, store: { ok: false, problem: "store-replaced" } });
    const refused = await put("eve");
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /store-replaced/);
    await rename(`${path}.away`, path);
    assert.deepEqual((await ready()).store, { ok: true, problem: null }, "at once");
    // What carries entries to the audit looks again a moment later, too.
    await until(async () => (await ready()).status === 200);

    forge(
      path,
      "create trigger keep after delete on versions begin insert into heads values (old.record, 1, 'live', ''); end",
    );
    assert.deepEqual(await ready(), { status: 503, store: { ok: false, problem: "store-altered" } });
    assert.match(await doctor(), /the trigger keep is not of this vault/);
    forge(path, "drop trigger keep");
    assert.equal((await put("eve")).code, 0);
    assert.equal(await installation.stop(), 0);

    const start = (): Promise<Ended> =>
      runProcess(["up", "--json", "--port", "0", "--region", "eu-west-1=0"], folder.path);
    await copyFile(path, `${path}.newest`);
    for (const change of [() => truncate(path), () => copyFile(`${path}.older`, path)]) {
      await change();
      const ended = await start();
      assert.equal(ended.code, 1, ended.stderr);
      assert.match(ended.stderr, /store-set-back/);
      assert.match(await doctor(), /store-set-back/);
      await copyFile(`${path}.newest`, path);
    }
  });
});
