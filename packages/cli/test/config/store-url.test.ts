import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { isOnThisMachine, placeText, readStoreUrl } from "../../src/config/store-url.ts";
import { CliError } from "../../src/errors.ts";

const place = { host: "db.example", port: 5432, user: "app", database: "records", tls: "left-out" };

describe("the URL of a store", () => {
  const good: readonly (readonly [string, object])[] = [
    ["postgres://app@db.example/records", {}],
    ["postgresql://app@db.example:6432/records?sslmode=verify-full", { port: 6432, tls: "verified" }],
    ["postgres://app@[::1]/records?sslmode=disable", { host: "::1", tls: "plain" }],
    ["postgres://a%40b@db.example/r%20s", { user: "a@b", database: "r s" }],
    ["postgres://app@/records?host=/run/postgresql", { host: "/run/postgresql" }],
    ["postgres://app@:6432/records?host=%2Frun%2Fpg", { host: "/run/pg", port: 6432 }],
  ];
  for (const [url, differs] of good)
    it(`says which database it is: ${url}`, () => {
      assert.deepEqual(readStoreUrl(url), { ...place, ...differs });
    });

  const bad: readonly (readonly [string, RegExp])[] = [
    ["postgres://app:secret@db.example/records", /holds a password.*change it in the database/],
    ["postgres://app:secret@/records?host=/run", /holds a password/],
    ["postgres://app@db.example/records?password=secret", /holds a password/],
    ["mysql://app@db.example/records", /must be a URL postgres:.*mysql: is no store that there is/],
    ["records.sqlite", /must be a URL postgres:/],
    ["", /must be a URL/],
    ["postgres://db.example/records", /must name a user/],
    ["postgres://app@db.example", /must name a database/],
    ["postgres://app@db.example/a/b", /must name a database/],
    ["postgres://app@/records", /must name a host/],
    ["postgres://app@db.example/records?host=/run", /and then no other host/],
    ["postgres://app@/records?host=run", /may name the folder of a socket/],
    ["postgres://app@db.example/records?sslmode=require", /use verify-full/],
    ["postgres://app@db.example/records?sslmode=__proto__", /use verify-full/],
    ["postgres://app@db.example/records?options=-c", /may have the parameters/],
    ["postgres://app@db.example/records?sslmode=disable&sslmode=verify-full", /each once/],
    ["postgres://app@db.example/records#x", /may have the parameters/],
    ["postgres://app@db.example/%00", /must name a database/],
    ["postgres://%ff@db.example/records", /must name a user/],
    ["postgres://app@db.example:port/records", /must be a URL/],
  ];
  for (const [url, says] of bad)
    it(`is refused: ${url}`, () => {
      const read = readStoreUrl(url);
      assert.ok("problem" in read, JSON.stringify(read));
      assert.match(read.problem, says);
      assert.doesNotMatch(read.problem, /secret/);
    });

  it("is shown without what it need not say", () => {
    const read = readStoreUrl("postgres://app@[::1]:1/records?sslmode=disable");
    assert.ok("host" in read);
    assert.equal(placeText(read), "app@[::1]:1/records");
  });

  it("is of this machine by a loopback address or a socket, and by no name that only looks like one", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "/run"])
      assert.ok(isOnThisMachine({ host }), host);
    for (const host of ["127.0.0.1.example", "localhost.example", "10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1000"])
      assert.ok(!isOnThisMachine({ host }), host);
  });
});

describe("the settings of a store", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "strongroom-config-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function problems(store: Readonly<Record<string, unknown>>, keys: object = {}): Promise<readonly string[]> {
    const flags = [
      ...Object.entries(store).map(([name, value]) => ({ path: `store.${name}`, origin: `--${name}`, value })),
      ...Object.entries(keys).map(([name, value]) => ({ path: `keys.${name}`, origin: `--${name}`, value })),
    ];
    try {
      await loadConfig({ cwd: folder, env: {}, flags });
      return [];
    } catch (error) {
      assert.ok(error instanceof CliError);
      return error.problems;
    }
  }

  it("are all left out for SQLite", async () => {
    const { config } = await loadConfig({ cwd: folder, env: {} });
    assert.deepEqual(config.store, { schema: "strongroom", poolSize: 10, allowUnauthenticatedStore: false });
  });

  it("do without TLS on this machine alone, unless somebody says that nobody else is on the way", async () => {
    const elsewhere = "postgres://app@db.example/records?sslmode=disable";
    assert.deepEqual(await problems({ url: "postgres://app@127.0.0.1/records?sslmode=disable" }), []);
    assert.match((await problems({ url: elsewhere })).join(), /says sslmode=disable of another machine/);
    assert.deepEqual(await problems({ url: elsewhere, allowUnauthenticatedStore: true }), []);
  });

  it("are refused where they would do nothing", async () => {
    const plain = "postgres://app@127.0.0.1/records?sslmode=disable";
    assert.match((await problems({ url: plain, caFile: "x" })).join(), /is of no use with sslmode=disable/);
    assert.equal((await problems({ url: "mysql://x", passwordFile: "x" })).length, 1, "one mistake, one problem");
  });

  it("do not take a schema of the system's, or a name that has to be quoted", async () => {
    for (const schema of ["pg_catalog", "Records", "a-b", "", "a".repeat(64)])
      assert.match((await problems({ schema })).join(), /must be a lower-case name of a schema/, schema);
  });

  it("hold keys.next to the same rules as keys.regions", async () => {
    const regions = [{ region: "eu-west-1", keyArn: "arn:aws:kms:eu-west-1:111122223333:key/a" }];
    const foreign = [{ region: "eu-west-2", keyArn: "arn:aws:kms:eu-west-1:111122223333:key/a" }];
    assert.deepEqual(await problems({}, { regions, next: regions }), []);
    assert.match(
      (await problems({}, { regions, next: foreign })).join(),
      /keys\.next\.0\.keyArn.*is a key of eu-west-1/,
    );
    assert.match((await problems({}, { regions, next: [...regions, ...regions] })).join(), /names the region .* twice/);
  });
});
