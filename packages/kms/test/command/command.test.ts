import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../running-kms.ts";
import { run, runJson } from "./run.ts";
import { serving } from "./serving.ts";

const KEY = "11111111-2222-4333-8444-555555555555";
const ROOT = "arn:aws:iam::000000000000:root";

test("help names every command, with examples and exit codes", async () => {
  const help = await run("--help");
  assert.equal(help.exit, 0);
  for (const name of ["serve", "health", "seed", "backup", "restore", "rekey", "audit", "rows", "policy"])
    assert.match(help.stdout, new RegExp(`^  ${name}\\b`, "m"));
  assert.match(help.stdout, /130 {2}interrupted/);
  for (const argv of [
    ["serve"],
    ["health"],
    ["seed"],
    ["backup"],
    ["restore"],
    ["rekey"],
    ["audit", "verify"],
    ["rows", "accept"],
    ["policy", "test"],
  ]) {
    const { exit, stdout } = await run(...argv, "--help");
    assert.equal(exit, 0);
    assert.match(stdout, /Examples:\n {2}#/, argv.join(" "));
  }
  assert.match((await run("--version")).stdout, /^\d+\.\d+\.\d+$/m);
});

test("wrong usage ends with 2 and says what is wrong", async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["srve"], /Did you mean serve/],
    [["backup"], /missing required argument 'file'/],
    [["backup", "a", "b"], /too many arguments/],
    [["serve", "--faults-port", "x"], /--faults-port must be a whole number/],
    [["serve", "--region", "a b"], /--region must be NAME or NAME=PORT/],
    [["serve", "--log-level", "loud"], /--log-level/],
    [["serve", "--temporary", "--clock", "2099-01-01T00:00:00Z"], /needs --allow-faults/],
    [["serve", "--temporary", "--clock", "soon", "--allow-faults"], /--clock must be a time/],
    [["rekey", "--root-key-file", "a", "--passphrase-file", "b"], /one of them/],
    [["policy", "test", "--action", "Decrypt", "--principal", ROOT], /--key or --policy/],
    [["policy", "test", "--key", "x"], /--principal is needed/],
  ];
  for (const [argv, message] of cases) {
    const { exit, stderr, stdout } = await run(...argv);
    assert.equal(exit, 2, argv.join(" "));
    assert.match(stderr, message);
    assert.equal(stdout, "");
    assert.equal((await runJson(...argv)).exit, 2);
  }
});

test("serve: signed calls, health, audit and backup while it runs, an orderly end", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const server = await serving(t, "--data-dir", dataDir, "--region", "eu-west-1", "--region", "us-east-1");
  assert.deepEqual(Object.keys(server.endpoints), ["eu-west-1", "us-east-1"]);
  const { KeyMetadata } = await server.client("us-east-1").createKey({});
  const urls = Object.values(server.endpoints);
  const healthy = await runJson("health", ...urls);
  assert.deepEqual(healthy, {
    exit: 0,
    json: {
      regions: [
        { url: urls[0], state: "up", region: "eu-west-1" },
        { url: urls[1], state: "up", region: "us-east-1" },
      ],
    },
  });

  assert.deepEqual((await runJson("audit", "verify", "--data-dir", dataDir)).json["auditEntries"], 1);
  const file = join(dataDir, "x.backup");
  assert.equal((await runJson("backup", "--data-dir", dataDir, file)).json["keys"], 1);
  assert.equal((await run("backup", "--data-dir", dataDir, file)).exit, 4);
  assert.equal((await run("rekey", "--data-dir", dataDir)).exit, 2, "not while the server runs");
  const allowed = await runJson(
    "policy",
    "test",
    "--data-dir",
    dataDir,
    "--key",
    KeyMetadata!.Arn!,
    "--principal",
    ROOT,
    "--action",
    "kms:Decrypt",
  );
  assert.equal(allowed.exit, 0);

  assert.equal(await server.end("SIGTERM"), 0);
  assert.equal(server.stderr(), "");
  const down = await runJson("health", urls[0]!);
  assert.deepEqual(down, {
    exit: 7,
    json: { regions: [{ url: urls[0], state: "down", reason: "connection refused" }] },
  });
});

test("serve --temporary leaves nothing, and shouts about material of a seed", async (t) => {
  const directory = await temporaryDirectory(t);
  const seed = join(directory, "seed.yaml");
  writeFileSync(seed, `keys:\n  - id: ${KEY}\n    aliases: [alias/a]\n    material: "${"01".repeat(32)}"\n`);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = directory;
  const server = await serving(
    t,
    "--temporary",
    "--seed",
    seed,
    "--allow-faults",
    "--clock",
    "2099-01-01T00:00:00Z",
  ).finally(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  });
  assert.match(server.stderr(), /\*\*\* NOT SECRET: 1 key has material/);
  const client = server.client();
  // The first answer tells the client the server's time.
  await assert.rejects(client.describeKey({ KeyId: "alias/a" }), { name: "InvalidSignatureException" });
  const { KeyMetadata } = await client.describeKey({ KeyId: "alias/a" });
  assert.equal(KeyMetadata!.CreationDate!.getUTCFullYear(), 2099);
  assert.ok(server.faultsEndpoint !== null);
  assert.equal(await server.end("SIGINT"), 0);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith("strongroom-kms-")),
    [],
  );
});

test("serve says why it cannot start", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const server = await serving(t, "--data-dir", dataDir);
  await assert.rejects(serving(t, "--data-dir", dataDir), /ended with 2.*data-dir-in-use/s);
  const port = new URL(server.endpoints["eu-west-1"]!).port;
  const code = ({ exit, json }: Awaited<ReturnType<typeof runJson>>): unknown => [
    exit,
    (json["error"] as { code: string }).code,
  ];
  assert.deepEqual(code(await runJson("serve", "--temporary", "--region", `eu-west-1=${port}`)), [2, "port-in-use"]);
  assert.deepEqual(code(await runJson("serve", "--temporary", "--region", "nowhere")), [2, "option-invalid"]);
});

test("seed, backup, rekey, restore and verify, one after the other", async (t) => {
  const directory = await temporaryDirectory(t);
  const [dataDir, other, passphrase, file] = ["data", "other", "passphrase.txt", "x.backup"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  const seed = join(directory, "seed.json");
  writeFileSync(seed, JSON.stringify({ keys: [{ id: KEY }] }));
  const seeded = await runJson("seed", "--data-dir", dataDir, seed);
  assert.deepEqual(seeded, {
    exit: 0,
    json: { made: [`arn:aws:kms:eu-west-1:000000000000:key/${KEY}`], kept: [], openMaterial: [] },
  });
  assert.equal((await run("backup", "--data-dir", dataDir, file)).exit, 0);
  assert.equal(statSync(file).mode & 0o077, 0);

  writeFileSync(passphrase, "correct horse\n", { mode: 0o600 });
  const rekeyed = await runJson("rekey", "--data-dir", dataDir, "--new-passphrase-file", passphrase);
  assert.equal(rekeyed.json["oldKeyFile"], join(dataDir, "root.key"));
  assert.equal((await run("audit", "verify", "--data-dir", dataDir)).exit, 2, "the old key opens nothing");
  const command = await run(
    "rekey",
    "--data-dir",
    dataDir,
    "--passphrase-file",
    passphrase,
    "--new-root-key-command",
    `cat ${join(dataDir, "root.key")}`,
  );
  assert.equal(command.exit, 0, command.stderr);

  assert.equal((await run("restore", "--data-dir", dataDir, file)).exit, 4);
  assert.equal((await run("restore", "--data-dir", other, file)).exit, 2, "no root key there");
  assert.equal((await run("restore", "--data-dir", other, "--root-key-file", join(dataDir, "root.key"), file)).exit, 0);
  const again = await runJson("restore", "--data-dir", dataDir, "--set-aside", file);
  assert.ok(existsSync(String(again.json["setAside"])));

  const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
  database.exec("UPDATE audit SET event = replace(event, 'SeedKey', 'KeySeed')");
  database.close();
  const broken = await run("audit", "verify", "--data-dir", dataDir);
  assert.equal(broken.exit, 5);
  assert.match(broken.stderr, /The audit does not verify \[audit-broken\]\n {2}entry 1 /);
});

test("a passphrase file that others can read is refused", async (t) => {
  const directory = await temporaryDirectory(t);
  const passphrase = join(directory, "p");
  writeFileSync(passphrase, "x", { mode: 0o644 });
  chmodSync(directory, 0o755);
  const { exit, stderr } = await run("audit", "verify", "--data-dir", directory, "--passphrase-file", passphrase);
  assert.equal(exit, 2);
  assert.match(stderr, /chmod 600/);
});

test("policy test explains a decision", async (t) => {
  const directory = await temporaryDirectory(t);
  const policy = join(directory, "policy.json");
  writeFileSync(
    policy,
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        { Sid: "account", Effect: "Allow", Principal: { AWS: ROOT }, Action: "kms:*", Resource: "*" },
        {
          Sid: "ann",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::000000000000:user/ann" },
          Action: "kms:Decrypt",
          Resource: "*",
          Condition: { StringEquals: { "kms:EncryptionContext:team": "a" } },
        },
        { Sid: "never", Effect: "Deny", Principal: "*", Action: "kms:ScheduleKeyDeletion", Resource: "*" },
      ],
    }),
  );
  const ask = (...argv: string[]): ReturnType<typeof run> => run("policy", "test", "--policy", policy, ...argv);
  const ann = "arn:aws:iam::000000000000:user/ann";
  const allowed = await ask("--principal", ann, "--action", "Decrypt", "--context", "team=a");
  assert.equal(allowed.exit, 0);
  assert.match(allowed.stdout, /ALLOWED: .*user\/ann may kms:Decrypt, because the key policy allows it \(ann\)/);
  const denied = await ask("--principal", ann, "--action", "Decrypt", "--context", "team=b");
  assert.equal(denied.exit, 6);
  assert.match(
    denied.stdout,
    /statement account \(Allow\): it allows the account, so the principal's own policies decide/,
  );
  assert.match(
    denied.stdout,
    /statement ann \(Allow\): its condition StringEquals on kms:encryptioncontext:team does not hold/,
  );
  assert.match(
    (await ask("--principal", ROOT, "--action", "ScheduleKeyDeletion")).stdout,
    /DENIED: .*Deny outweighs every Allow \(never\)/,
  );
  assert.match((await ask("--principal", "ann", "--action", "Decrypt")).stderr, /IAM ARN/);

  const principals = join(directory, "principals.json");
  const own = { Statement: [{ Effect: "Allow", Action: "kms:Encrypt", Resource: "*" }] };
  writeFileSync(
    principals,
    JSON.stringify({
      principals: [
        {
          arn: ann,
          policies: [own],
          accessKeys: [{ accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "x".repeat(40) }],
        },
      ],
    }),
    { mode: 0o600 },
  );
  assert.match(
    (await ask("--principal", ann, "--principals", principals, "--action", "Encrypt")).stdout,
    /ALLOWED: .*a policy of the principal allows it/,
  );
  assert.equal(
    (await run("policy", "test", "--data-dir", directory, "--key", "x", "--principal", ann, "--action", "Encrypt"))
      .exit,
    3,
  );
  writeFileSync(policy, "{}");
  assert.equal((await ask("--principal", ann, "--action", "Encrypt")).exit, 2);
});

test("rows accept: lists what does not hold, and takes it over when told to", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const seed = join(dataDir, "seed.json");
  writeFileSync(seed, JSON.stringify({ keys: [{ id: KEY, aliases: ["alias/orders"] }] }));
  const folder = ["--data-dir", join(dataDir, "kms")];
  assert.equal((await run("seed", seed, ...folder)).exit, 0);
  assert.match((await run("rows", "accept", ...folder)).stdout, /Every row is as the KMS left it/);
  const database = new DatabaseSync(join(dataDir, "kms", "kms.sqlite"));
  database.exec("UPDATE aliases SET key_id = 'another'");
  database.close();
  for (const argv of [["audit", "verify"], ["rows", "accept"], ["serve"]]) {
    const { exit, stderr } = await run(...argv, ...folder);
    assert.equal(exit, 5, argv.join(" "));
    assert.match(stderr, /aliases eu-west-1\/alias\/orders does not fit its MAC/);
    assert.match(stderr, /rows accept|--yes/);
  }
  const { exit, stdout } = await run("rows", "accept", "--yes", ...folder);
  assert.equal(exit, 0);
  assert.match(stdout, /3 rows are taken over.*in the audit:\n {2}aliases/s);
  assert.match((await run("audit", "verify", ...folder)).stdout, /whole: 2 entries/);
});
