// Declared collections beside a real `strongroom up`: records that were there before a field was declared, what is found
// and what is not, what a backup has of it, and what a restore makes anew.
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { runCommand } from "../support/command.ts";
import { type Ended, type Installation, startInstallation, temporaryFolder } from "../support/installation.ts";

const FIELDS = {
  email: { find: "email", unique: true },
  name: { find: "folded-name", prefix: 3, values: 50_000, leaks: "accepted" },
  phone: { find: "phone:DE" },
  born: { find: "date", buckets: "month", values: 30_000, leaks: "accepted" },
};
const PEOPLE = {
  ada: { email: "Ada@Example.com", name: "Ada Lovelace", phone: "+49 30 1234567", born: "1815-12-10" },
  bob: { email: "bob@example.com", name: "Bob Loveday", phone: "030 7654321", born: "1816-01-02" },
  cleo: { email: "cleo@example.com", name: "Cléo Martin", born: "1815-12-31" },
};
const ROOT_KEY = ["--root-key-file", "strongroom-data/kms/root.key"];

interface Found {
  readonly items: readonly { readonly id: string; readonly document: Record<string, unknown> }[];
}

describe("declared collections", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let installation: Installation;
  let env: Readonly<Record<string, string>>;
  const at = (name: string): string => join(folder.path, name);
  const run = (line: string, stdin: object | string = ""): Promise<Ended> =>
    runCommand(line.split(" "), {
      cwd: folder.path,
      env,
      stdin: typeof stdin === "string" ? stdin : JSON.stringify(stdin),
    });
  const log = (): string => readFileSync(at("strongroom-data/strongroom.log"), "latin1");
  const declare = (fields: object): void => {
    writeFileSync(at("strongroom.config.json"), JSON.stringify({ collections: { customers: { fields } } }));
  };
  const found = async (query: object, ...args: readonly string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await run(["find customers --json", ...args].join(" "), query);
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as Found).items.map(({ id }) => id).sort();
  };

  before(async () => {
    folder = await temporaryFolder();
    env = {
      XDG_STATE_HOME: at("state"),
      STRONGROOM_CONFIG: at("strongroom.config.json"),
      STRONGROOM_ATTEMPT_TIMEOUT_MS: "8000",
      STRONGROOM_DEADLINE_MS: "20000",
    };
    declare({});
    installation = await startInstallation(folder.path, [], { env });
    for (const [id, document] of Object.entries(PEOPLE))
      assert.equal((await run(`put customers ${id}`, document)).code, 0);
    assert.equal(await installation.stop(), 0);
    declare(FIELDS);
    installation = await startInstallation(folder.path, [], { env });
  });
  after(async () => {
    await installation.stop();
    await folder[Symbol.asyncDispose]();
  });

  it("a start says what is not built, and so do doctor and whoever looks for it", async () => {
    assert.match(
      log(),
      /"indexes":\["customers\/born",.*"msg":"these indexes are not as declared: strongroom collection/,
    );
    const doctor = await run("doctor --json");
    const { findings } = JSON.parse(doctor.stdout) as { findings: { what: string; severity: string }[] };
    const warned = findings.filter(({ what }) => what.startsWith("Index customers/"));
    assert.equal(warned.length, 6, "born, born:range, email, name, name:prefix, phone");
    assert.ok(warned.every(({ severity }) => severity === "warning"));
    const early = await run("find customers", { email: "ada@example.com" });
    assert.match(early.stderr, /index-not-ready/);
    assert.match((await run("collection plan")).stdout, /customers +email +yes +email +to be built/);
  });

  it("are built by one command, and then records are found in whichever spelling", async () => {
    assert.equal((await run("collection apply")).code, 2, "nobody can be asked");
    const applied = await run("collection apply --yes");
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /Built: .*customers\/email.*\n3 records were opened/s);
    assert.match((await run("collection apply --yes")).stdout, /Everything is as declared/);
    assert.deepEqual(await found({ email: "ADA@example.COM" }), ["ada"]);
    assert.deepEqual(await found({ phone: "+49 (0)30 7654321" }), ["bob"]);
    assert.deepEqual(await found({ name: { prefix: "ada" } }), ["ada"]);
    assert.deepEqual(await found({ born: { from: "1815-12-01", to: "1815-12-30" } }), ["ada"]);
    assert.deepEqual(await found({ born: { from: "1815-12-01", to: "1816-12-30" }, name: "cleo martin" }), ["cleo"]);
    assert.deepEqual(await found({ email: "nobody@example.com" }), []);
    const line = await run("find customers --fields name", { email: "ada@example.com" });
    assert.deepEqual(JSON.parse(line.stdout).document, { name: "Ada Lovelace" });
    assert.match((await run("find customers --count", { email: "ada@example.com" })).stdout, /^1 at most/);
    assert.match((await run("find customers --explain", { email: "ada@example.com" })).stdout, /email +email +1/);
    assert.match((await run("doctor")).stdout, /Indexes +6 are built/);
    assert.match((await run("collection leakage customers")).stdout, /email +3 +3 +33\.33 % +33\.33 % +not needed/);
  });

  it("a value that is to be unique is so, and what is looked for is in no answer, log or audit", async () => {
    const taken = await run("put customers dora", { email: "ada@EXAMPLE.com" });
    assert.equal(taken.code, 4);
    assert.match(taken.stderr, /value-taken/);
    for (const wrong of [
      { nothing: "secret-value-7" },
      { email: { prefix: "secret-value-7" } },
      "secret-value-7",
      "[]",
    ]) {
      const refused = await run("find customers", wrong);
      assert.equal(refused.code, 2, refused.stderr);
      assert.doesNotMatch(refused.stderr + refused.stdout, /secret-value-7/);
    }
    assert.deepEqual(await found({ email: "secret-value-7@example.com" }), []);
    const events = await run("audit tail --json --limit 100");
    assert.match(events.stdout, /"fields":"email"/);
    for (const text of [events.stdout, log()]) assert.doesNotMatch(text, /secret-value-7|ada@example/i);
  });

  it("another key is made of the indexes, one is dropped, and it is built again", async () => {
    const before = tagsIn(at("strongroom-data/records.sqlite"));
    const rotated = await run("collection rotate-key --yes --json");
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.deepEqual(await found({ email: "ada@example.com" }), ["ada"]);
    const now = tagsIn(at("strongroom-data/records.sqlite"));
    assert.equal(now.length, before.length);
    assert.ok(now.every((tag) => !before.some((one) => one.equals(tag))));
    assert.equal((await run("collection drop customers phone --yes")).code, 0);
    assert.match((await run("find customers", { phone: "030 7654321" })).stderr, /index-not-ready/);
    assert.equal((await run("collection apply customers --yes")).code, 0);
    assert.deepEqual(await found({ phone: "030 7654321" }), ["bob"]);
  });

  it("no byte of a tag is in a backup, and a restore makes them anew", async () => {
    const tags = tagsIn(at("strongroom-data/records.sqlite"));
    assert.ok(tags.length >= 15);
    const live = bytesIn(at("strongroom-data"));
    assert.ok(
      tags.every((tag) => live.includes(tag)),
      "they are in the database",
    );
    const made = await run("backup monday");
    assert.equal(made.code, 0, made.stderr);
    const copied = bytesIn(at("monday"));
    for (const tag of tags) assert.ok(!copied.includes(tag), "a backup has a tag");
    assert.deepEqual(
      readdirSync(at("monday")).filter((name) => /draft|wal|shm|journal/.test(name)),
      [],
    );
    assert.equal((await run("backup --check monday")).code, 0);
    assert.equal((await run("backup --drill monday")).code, 0);
    assert.equal(await installation.stop(), 0);
    const restore = ["restore", "monday", "--reason", "a test", ...ROOT_KEY];
    const left = await runCommand([...restore, "--data-dir", "left", "--no-indexes"], { cwd: folder.path, env });
    assert.match(left.stdout, /NOT built: customers\/born, .*collection apply/);
    cpSync(at("left/records.sqlite"), at("left.sqlite"));
    assert.deepEqual(tagsIn(at("left.sqlite")), []);
    const restored = await runCommand([...restore, "--data-dir", "new"], { cwd: folder.path, env });
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /Indexes, which no backup has, were built: .*customers\/email.*of 3 records/);
    assert.equal(tagsIn(at("new/records.sqlite")).length, tags.length);
    installation = await startInstallation(folder.path, ["--data-dir", "new", ...ROOT_KEY], { env });
    assert.doesNotMatch(readFileSync(at("new/strongroom.log"), "latin1"), /not as declared/);
    for (const [id, { email }] of Object.entries(PEOPLE))
      assert.deepEqual(await found({ email: email.toUpperCase() }, "--data-dir", "new"), [id]);
    const taken = await run("put customers dora --data-dir new", { email: "ada@example.com" });
    assert.match(taken.stderr, /value-taken/);
  });
});

/** Every tag of a database. */
function tagsIn(path: string): readonly Buffer[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return ["tags", "unique_tags"].flatMap((table) =>
      database
        .prepare(`select tag from ${table}`)
        .all()
        .map(({ tag }) => Buffer.from(tag as Uint8Array)),
    );
  } finally {
    database.close();
  }
}

/** All files of a folder, one behind the other. */
function bytesIn(path: string): Buffer {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Buffer.concat(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((one) => existsSync(one))
      .map((one) => readFileSync(one)),
  );
}
