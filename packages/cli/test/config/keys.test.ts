// What the configuration says of the keys of people: their scope, their store, their wrapping keys, the collections.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { CliError } from "../../src/errors.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "strongroom-config-keys-"));
});
after(() => rm(folder, { recursive: true }));

/** Loads settings that are given by their dotted paths. */
async function load(settings: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const flags = Object.entries(settings).map(([path, value]) => ({ path, origin: "test", value }));
  return (await loadConfig({ cwd: folder, env, flags })).config;
}

async function refusals(...given: Parameters<typeof load>): Promise<string> {
  try {
    await load(...given);
    return "";
  } catch (error) {
    assert.ok(error instanceof CliError);
    return error.problems.join("\n");
  }
}

const key = (region: string, id: string): string => `arn:aws:kms:${region}:111122223333:key/${id}`;
const own = (region: string): object => ({ region, keyArn: key(region, "r"), keyStoreKeyArn: key(region, "k") });

describe("the settings of the keys", () => {
  it("are the subject scope and a store beside the records, unless others are given", async () => {
    const { keys, keyStore, collections } = await load({});
    assert.equal(keys.scope, "subject");
    assert.deepEqual([keys.cacheAgeMs, keys.cacheUses, keys.cacheKeys], [undefined, undefined, undefined]);
    assert.deepEqual(keyStore, { schema: "strongroom_keys", poolSize: 10, allowUnauthenticatedStore: false });
    assert.deepEqual(collections, {});
  });

  it("come from variables as well", async () => {
    const { keys, keyStore } = await load(
      {},
      {
        STRONGROOM_SCOPE: "tenant",
        STRONGROOM_KEY_CACHE_AGE_MS: "60000",
        STRONGROOM_KEY_CACHE_USES: "10",
        STRONGROOM_KEY_CACHE_KEYS: "500",
        STRONGROOM_KEY_STORE: "postgres://keys@keys.example/keys",
        STRONGROOM_KEY_STORE_SCHEMA: "k",
        STRONGROOM_KEY_STORE_PASSWORD: "is read where it is used",
      },
    );
    assert.deepEqual([keys.scope, keys.cacheAgeMs, keys.cacheUses, keys.cacheKeys], ["tenant", 60_000, 10, 500]);
    assert.deepEqual([keyStore.url, keyStore.schema], ["postgres://keys@keys.example/keys", "k"]);
  });

  const refused: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ["another scope", { "keys.scope": "person" }, /keys\.scope .*must be record, subject or tenant/],
    ["a cache without time", { "keys.cacheAgeMs": 0 }, /keys\.cacheAgeMs .*at least 1 millisecond/],
    ["a cache for ever", { "keys.cacheAgeMs": 86_400_001 }, /at most 86400000 milliseconds/],
    ["a cache without uses", { "keys.cacheUses": 0 }, /keys\.cacheUses .*must be at least 1/],
    ["half a key in the cache", { "keys.cacheKeys": 0.5 }, /keys\.cacheKeys .*must be a whole number/],
    ["a password in the URL", { "keyStore.url": "postgres://k:secret@h/d" }, /keyStore\.url .*holds a password/],
    [
      "a password of no URL",
      { "store.url": "postgres://a@h/d", "keyStore.passwordFile": "x" },
      /keyStore\.passwordFile .*is of no use without keyStore\.url/,
    ],
    [
      "no TLS to another machine",
      { "keyStore.url": "postgres://a@h.example/d?sslmode=disable" },
      /keyStore\.url .*sslmode=disable of another machine.*keyStore\.caFile/,
    ],
    [
      "the schema of the records",
      { "store.url": "postgres://a@h/d", "keyStore.schema": "strongroom" },
      /keyStore\.schema .*is the schema of the records/,
    ],
    [
      "the schema of the records, by another login",
      { "store.url": "postgres://a@h/d", "keyStore.url": "postgres://k@h/d", "keyStore.schema": "strongroom" },
      /is the schema of the records/,
    ],
    [
      "a key store key of some regions",
      { "keys.regions": [own("eu-west-1"), { region: "eu-west-2", keyArn: key("eu-west-2", "r") }] },
      /keys\.regions .*in every region or in none; lacking: eu-west-2/,
    ],
    [
      "the same of the next key set",
      { "keys.next": [own("eu-west-1"), { region: "eu-west-2", keyArn: key("eu-west-2", "r") }] },
      /keys\.next .*in every region or in none/,
    ],
    [
      "one key for both",
      {
        "keys.regions": [{ region: "eu-west-1", keyArn: key("eu-west-1", "x"), keyStoreKeyArn: key("eu-west-1", "x") }],
      },
      /keyStoreKeyArn .*wraps nothing else/,
    ],
    [
      "a key store key of another region",
      { "keys.regions": [{ region: "eu-west-1", keyStoreKeyArn: key("eu-west-2", "k") }] },
      /keyStoreKeyArn .*is a key of eu-west-2/,
    ],
    ["an alias for a key", { "keys.regions": [{ region: "eu-west-1", keyStoreKeyArn: "alias/x" }] }, /is an alias/],
    [
      "a collection without a name",
      { collections: { "Über-uns": {} } },
      /collections\.Über-uns .*is no name of a coll/,
    ],
    ["a member that there is not", { collections: { people: { scop: "record" } } }, /people\.scop .*is no setting/],
    ["another scope of one", { collections: { people: { scope: "all" } } }, /people\.scope .*must be record, subject/],
    ["another subject", { collections: { people: { subject: "email" } } }, /people\.subject .*must be id, none, or/],
    ["an empty field", { collections: { people: { subject: { field: "" } } } }, /people\.subject/],
    ["other ids", { collections: { people: { ids: "hidden" } } }, /people\.ids .*must be public or sealed/],
    ["a tenant with spaces", { collections: { people: { tenant: "Acme Ltd" } } }, /people\.tenant .*tenant's name/],
  ];
  for (const [what, settings, says] of refused)
    it(`do not take ${what}`, async () => {
      assert.match(await refusals(settings), says);
    });

  it("take keys of people in every region, another server, and the same database in another schema", async () => {
    await load({ "keys.regions": [own("eu-west-1"), own("eu-west-2")], "keys.next": [own("eu-west-1")] });
    await load({
      "store.url": "postgres://a@h/d",
      "keyStore.url": "postgres://k@other/d",
      "keyStore.schema": "strongroom",
    });
    await load({ "store.url": "postgres://a@h/d" });
  });

  it("take every declaration of a collection", async () => {
    const declared: Config["collections"] = {
      people: { scope: "tenant", subject: { field: "person" }, ids: "sealed", tenant: { field: "shop" } },
      users: { subject: "id", tenant: "acme" },
      prices: { subject: "none", scope: "record", ids: "public" },
    };
    assert.deepEqual((await load({ collections: declared })).collections, declared);
  });
});
