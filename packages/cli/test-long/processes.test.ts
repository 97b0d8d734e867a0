// Several processes of `strongroom serve` on one PostgreSQL database: what one writes the others read, and a key set is
// left by all of them at once, or by nobody who does not know the next one.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createKms, type Kms } from "@strongroom/kms";
import { Client } from "pg";
import { defer } from "../../../tests/support/defer.ts";
import type { WrappingRegion } from "../src/config/config.ts";
import { kmsClient } from "../src/installation/keyring.ts";
import { runCommand } from "../test/support/command.ts";
import { type Ended, gather, spawnCommand, temporaryFolder, until } from "../test/support/installation.ts";
import { type NamedDatabase, namedDatabase } from "../test/support/postgres.ts";

const REGIONS = ["eu-west-1", "eu-west-2"] as const;
const PATIENT = { minimum: 1, stragglerMinMs: 8000, attemptTimeoutMs: 8000, deadlineMs: 20_000 };

async function startKms(t: TestContext, folder: string): Promise<Kms> {
  const kms = await createKms({
    dataDir: join(folder, "kms"),
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(folder, "root.key") },
    tls: { kind: "own" },
    strongroomUsers: "made",
  });
  defer(t, () => kms.close());
  return kms;
}

/** New keys, one a region, as a configuration names them. */
async function newKeys(kms: Kms, folder: string): Promise<readonly WrappingRegion[]> {
  return Promise.all(
    REGIONS.map(async (region) => {
      const place = { region, endpoint: kms.endpoints[region], tlsFingerprint: kms.tls?.fingerprint };
      const client = await kmsClient({ ...place, credentialsFile: join(folder, "kms", "operator-credentials.json") });
      const { KeyMetadata } = await client.createKey({});
      client.destroy();
      return { ...place, credentialsFile: "kms/service-credentials.json", keyArn: KeyMetadata?.Arn };
    }),
  );
}

/** What a statement gives, as the database's own user. */
async function rowsOf({ server, url }: NamedDatabase, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: server.urlOf(new URL(url).pathname.slice(1)) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

test("processes share a database, and leave a key set together", async (t) => {
  const folder = await temporaryFolder();
  defer(t, () => folder[Symbol.asyncDispose]());
  const [kms, database] = await Promise.all([startKms(t, folder.path), namedDatabase(t, folder.path)]);
  const [present, coming] = [await newKeys(kms, folder.path), await newKeys(kms, folder.path)];
  const env = { ...database.env, HOME: folder.path };
  const configuration = async (name: string, keys: object): Promise<string> => {
    await writeFile(
      join(folder.path, name),
      JSON.stringify({ keys: { ...PATIENT, ...keys }, service: { port: 0 }, dataDir: "data" }),
      { mode: 0o600 },
    );
    return name;
  };
  const both = await configuration("both.json", { regions: present, next: coming });
  const old = await configuration("old.json", { regions: present });
  const run = (line: string, more: { readonly stdin?: string; readonly env?: object } = {}): Promise<Ended> =>
    runCommand(line.split(" "), { cwd: folder.path, stdin: more.stdin ?? "", env: { ...env, ...more.env } });
  const serve = async (config: string): Promise<{ readonly url: string; readonly process: ChildProcess }> => {
    const process = spawnCommand(["serve", "--json", "--config", config], folder.path, env);
    const [out, said] = [gather(process.stdout), gather(process.stderr)];
    defer(t, async () => {
      if (process.exitCode !== null) return;
      process.kill("SIGTERM");
      await once(process, "exit");
    });
    await until(() => out().includes("\n") || process.exitCode !== null);
    assert.equal(process.exitCode, null, said());
    return { url: (JSON.parse(out()) as { readonly url: string }).url, process };
  };

  const refused = await run(`serve --config ${both}`);
  assert.match(refused.stderr, /store-unprepared.*\n.*no tables in the schema strongroom/);
  assert.equal(refused.code, 2);
  const dry = await run("store migrate --dry-run");
  assert.match(dry.stdout, /this would be done, and was not:\n {2}schema strongroom\n {2}0001/);
  const migrated = await run("store migrate");
  assert.equal(migrated.code, 0, migrated.stderr);
  assert.match((await run("store migrate")).stdout, /nothing to do/);
  assert.equal((await run(`token create test --scope admin --output token --config ${both}`)).code, 0);

  const [one, other, third] = await Promise.all([serve(both), serve(both), serve(old)]);
  const at = (service: { readonly url: string }): object => ({
    STRONGROOM_URL: service.url,
    STRONGROOM_TOKEN_FILE: "token",
  });
  const put = (id: string, service: { readonly url: string }): Promise<Ended> =>
    run(`put people ${id} --json`, { stdin: '{"name":"Ada"}', env: at(service) });
  const get = async (id: string, service: { readonly url: string }): Promise<string> =>
    (await run(`get people ${id}`, { env: at(service) })).stdout;

  for (const [id, service] of [
    ["a", one],
    ["b", other],
    ["c", third],
  ] as const)
    assert.equal((await put(id, service)).code, 0);
  for (const id of ["a", "b", "c"])
    for (const service of [one, other, third]) assert.equal(await get(id, service), '{"name":"Ada"}\n');
  const jobs = await Promise.all([one, other].map((service) => run("jobs --json", { env: at(service) })));
  for (const listed of jobs) assert.match(listed.stdout, /^\{"jobs":\[\{"job":"repair",/);

  const status = async (config: string): Promise<{ readonly epoch: number; readonly state: string }> =>
    (JSON.parse((await run(`store status --json --config ${config}`)).stdout) as { readonly keySet: never }).keySet;
  assert.deepEqual([(await status(both)).epoch, (await status(both)).state], [1, "current"]);
  const unasked = await run(`store flip --config ${both}`);
  assert.match(unasked.stderr, /not-confirmed/);
  const flipped = await run(`store flip --yes --config ${both}`);
  assert.equal(flipped.code, 0, flipped.stderr);
  assert.match(flipped.stdout, /In force, at epoch 2/);
  assert.deepEqual([(await status(both)).epoch, (await status(both)).state], [2, "next"]);
  assert.equal((await status(old)).state, "unknown");

  for (const [id, service] of [
    ["d", one],
    ["e", other],
  ] as const)
    assert.equal((await put(id, service)).code, 0, id);
  const late = await put("f", third);
  assert.equal(late.code, 7);
  assert.match(late.stderr, /key-set-unknown.*Another key set is in force.*strongroom store flip/);
  assert.equal(await get("a", third), '{"name":"Ada"}\n', "reads go on");
  for (const id of ["a", "d", "e"]) assert.equal(await get(id, one), '{"name":"Ada"}\n');
  const keys = await rowsOf(
    database,
    "select distinct form from strongroom.wrap_sets s join strongroom.versions v on v.wrap_set = s.id " +
      "join strongroom.records r on r.key = v.record where r.id in ('d', 'e')",
  );
  for (const { keyArn } of coming) assert.match(JSON.stringify(keys), new RegExp(keyArn ?? "?"));
  for (const { keyArn } of present) assert.doesNotMatch(JSON.stringify(keys), new RegExp(keyArn ?? "?"));

  const doctor = await run(`doctor --config ${old}`, { env: at(third) });
  assert.match(doctor.stdout, /FAIL {2}Key set +epoch 2: other keys than this configuration has/);
  // Back again is a flip like any other: of a set that neither of the two knows as its next one.
  assert.match((await run(`store flip --yes --config ${old}`)).stdout, /In force, at epoch 3/);
  assert.equal((await put("g", third)).code, 0);
});
