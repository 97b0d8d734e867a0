// What a newcomer is told whose database cannot be reached or used, against a real server: each with a code, what
// happened and what to do, and never with the password.
import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { createKms } from "@strongroom/kms";
import { PostgresServer } from "../../../../tests/support/postgres/server.ts";
import { runCommand } from "../support/command.ts";
import { temporaryFolder } from "../support/installation.ts";
import { withoutPassword } from "../support/postgres.ts";

/** A certificate for this machine's own names, signed by itself. */
async function certificateIn(folder: string): Promise<{ readonly certificate: string; readonly key: string }> {
  const dataDir = join(folder, "kms");
  const regions = [{ name: "eu-west-1", port: 0 }];
  const rootKey = { kind: "file", path: join(folder, "root.key") } as const;
  await (await createKms({ dataDir, regions, rootKey, tls: { kind: "own" } })).close();
  const [certificate = "", key = ""] = await Promise.all(
    ["tls-certificate.pem", "tls-key.pem"].map((name) => readFile(join(dataDir, name), "utf8")),
  );
  await writeFile(join(folder, "ca.pem"), certificate, { mode: 0o600 });
  return { certificate, key };
}

describe("a database that cannot be used", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: PostgresServer;
  let plain: PostgresServer;
  let url = "";

  before(async () => {
    folder = await temporaryFolder();
    [server, plain] = await Promise.all([
      certificateIn(folder.path).then((tls) => PostgresServer.start({ tls })),
      PostgresServer.start({ settings: { default_transaction_read_only: "on" } }),
    ]);
    url = withoutPassword(await server.createDatabase());
    const password = server.password;
    for (const role of ["stranger", "reader", '"odd one"'])
      await server.query(`create role ${role} login password '${password}'`);
    await writeFile(join(folder.path, "right"), `${server.password}\n`, { mode: 0o600 });
    await writeFile(join(folder.path, "plain"), plain.password, { mode: 0o600 });
    await writeFile(join(folder.path, "wrong"), "not-the-password", { mode: 0o600 });
    await writeFile(join(folder.path, "empty"), "\n", { mode: 0o600 });
  });
  after(async () => {
    await Promise.all([server[Symbol.asyncDispose](), plain[Symbol.asyncDispose]()]);
    await folder[Symbol.asyncDispose]();
  });

  /** Runs `store status` and gives what it said, on one line. */
  async function status(
    store: string,
    options: Readonly<Record<string, string>> = { STRONGROOM_STORE_PASSWORD_FILE: "right" },
  ): Promise<{ readonly code: number | null; readonly said: string }> {
    const { code, stdout, stderr } = await runCommand(["store", "status", "--store", store], {
      cwd: folder.path,
      env: Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value === "SAME" ? store : value])),
    });
    const said = `${stdout}${stderr}`.replace(/\s+/g, " ");
    assert.ok(!said.includes(server.password) && !said.includes("not-the-password"), "the password is not shown");
    return { code, said };
  }

  const at = (change: (url: URL) => void): string => {
    const changed = new URL(url);
    change(changed);
    return changed.href;
  };
  const refusals: readonly {
    readonly what: string;
    readonly store: () => string;
    readonly env?: Readonly<Record<string, string>>;
    readonly code: number;
    readonly says: readonly RegExp[];
  }[] = [
    {
      what: "a wrong password",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD_FILE: "wrong" },
      code: 6,
      says: [
        /store-login-refused/,
        /is not the right one/,
        /store\.passwordFile names, or in STRONGROOM_STORE_PASSWORD/,
      ],
    },
    {
      what: "a wrong password by the variable",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD: "not-the-password" },
      code: 6,
      says: [/store-login-refused/],
    },
    { what: "no password", store: () => url, env: {}, code: 6, says: [/it wants a password, and none is given/] },
    {
      what: "a password of another database's variable",
      store: () => url,
      env: { PGPASSWORD: "not-the-password" },
      code: 6,
      says: [/it wants a password, and none is given/],
    },
    {
      what: "two passwords",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD: "x", STRONGROOM_STORE_PASSWORD_FILE: "right" },
      code: 2,
      says: [/config-invalid/, /give one of them/],
    },
    {
      what: "an empty file of the password",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD_FILE: "empty" },
      code: 2,
      says: [/input-unreadable/, /holds is no password/],
    },
    {
      what: "no file of the password",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD_FILE: "absent" },
      code: 2,
      says: [/input-unreadable/, /absent/],
    },
    {
      what: "no password of the key store's own",
      store: () => url,
      env: { STRONGROOM_STORE_PASSWORD_FILE: "right", STRONGROOM_KEY_STORE: "SAME" },
      code: 6,
      says: [
        /Store PostgreSQL.*no tables in the schema strongroom yet/,
        /Key store PostgreSQL/,
        /it wants a password, and none is given/,
        /keyStore\.passwordFile names, or in STRONGROOM_KEY_STORE_PASSWORD/,
      ],
    },
    {
      what: "no such database",
      store: () => at((one) => (one.pathname = "/nowhere")),
      code: 2,
      says: [/store-unprepared/, /There is no database nowhere/, /create database "nowhere" owner "strongroom"/],
    },
    {
      what: "no such user",
      store: () => at((one) => (one.username = "nobody")),
      code: 6,
      says: [/store-login-refused/],
    },
    {
      what: "no such host",
      store: () => at((one) => (one.hostname = "db.invalid")),
      code: 7,
      says: [/store-unreachable/, /no host db\.invalid|cannot be looked up/],
    },
    {
      what: "a port where nothing listens",
      store: () => at((one) => (one.port = "1")),
      code: 7,
      says: [/store-unreachable/, /Nothing listens there/],
    },
    {
      what: "no socket",
      store: () => `postgres://app@/records?host=${encodeURIComponent(folder.path)}`,
      code: 7,
      says: [/store-unreachable/, /no socket of a server/],
    },
    {
      what: "a certificate that nobody has signed who is believed",
      store: () => at((one) => (one.search = "?sslmode=verify-full")),
      code: 2,
      says: [/store-unauthenticated/, /Nobody who is believed here/, /store\.caFile/],
    },
    {
      what: "a server without TLS",
      store: () => `${withoutPassword(plain.url)}?sslmode=verify-full`,
      code: 2,
      says: [/store-unauthenticated/, /It offers no TLS/, /ssl = on/],
    },
    {
      what: "a password in the URL",
      store: () => at((one) => (one.password = "not-the-password")),
      code: 2,
      says: [/config-invalid/, /holds a password.*change it in the database/],
    },
    {
      what: "an unknown scheme",
      store: () => url.replace("postgres:", "mysql:"),
      code: 2,
      says: [/config-invalid/, /mysql: is no store that there is/],
    },
  ];
  for (const { what, store, env, code, says } of refusals)
    it(`is told of by what is wrong: ${what}`, async () => {
      const told = await status(store(), env);
      for (const pattern of says) assert.match(told.said, pattern);
      assert.equal(told.code, code, told.said);
    });

  it("is told of by the rights that its user lacks, by every command that looks", async () => {
    const named = { STRONGROOM_STORE_PASSWORD_FILE: "right" };
    const own = withoutPassword(await server.createDatabase());
    const run = async (args: readonly string[], user: string) => {
      const store = new URL(own);
      store.username = user;
      const { code, stdout, stderr } = await runCommand([...args, "--store", store.href], {
        cwd: folder.path,
        env: named,
      });
      return { code, said: `${stdout}${stderr}`.replace(/\s+/g, " ") };
    };
    const missing = await run(["store", "migrate", "--grant-to", "nobody"], "strongroom");
    assert.match(missing.said, /There is no role nobody: make it on the server/);
    assert.match((await run(["store", "status"], "strongroom")).said, /not made yet/, "nothing was made");
    const unable = await run(["store", "migrate", "--dry-run"], "odd one");
    assert.match(unable.said, /the user odd one may not make the schema strongroom_audit/, "also when it is only said");
    assert.match(unable.said, /grant create on database "test_\d+" to "odd one"/);
    assert.equal(unable.code, 6);
    assert.equal((await run(["store", "migrate"], "strongroom")).code, 0);
    assert.match((await run(["store", "status"], "odd one")).said, /--grant-to 'odd one'/, "as a shell takes it");
    for (const command of [["store", "status"], ["store", "migrate"], ["doctor"]]) {
      const { said } = await run(command, "stranger");
      assert.match(said, /the user stranger lacks:? (- )?usage of the schema/, command.join(" "));
      assert.match(said, /store-login-refused.*--grant-to stranger|--grant-to stranger.*store-login-refused/);
    }
    const client = new pg.Client({ connectionString: server.urlOf(new URL(own).pathname.slice(1)) });
    await client.connect();
    for (const schema of ["strongroom", "strongroom_keys"]) {
      await client.query(`grant usage on schema ${schema} to reader`);
      await client.query(`grant select on all tables in schema ${schema} to reader`);
    }
    await client.end();
    const { said: lacking } = await run(["store", "status"], "reader");
    assert.match(lacking, /lacks:.*insert, update, delete on versions.*lacks:.*insert, update, delete on keys/);
    assert.equal((await run(["store", "migrate", "--grant-to", "reader"], "strongroom")).code, 0);
    assert.doesNotMatch((await run(["store", "status"], "reader")).said, /Problem/);
  });

  it("is reached over TLS where its authority is named, by the names in its certificate alone", async () => {
    const env = { STRONGROOM_STORE_PASSWORD_FILE: "right", STRONGROOM_STORE_CA_FILE: "ca.pem" };
    const { code, said } = await status(
      at((one) => (one.hostname = "localhost")),
      env,
    );
    assert.match(said, /Connection TLSv1\.[23], the server is proven/);
    assert.equal(code, 0);
    // An authority that names nobody is not taken for none.
    await writeFile(join(folder.path, "nobody.pem"), "", { mode: 0o600 });
    assert.match(
      (await status(url, { ...env, STRONGROOM_STORE_CA_FILE: "nobody.pem" })).said,
      /has no certificate in it/,
    );
  });

  it("is not asked for with a file of the password, or of the authority, that others may change or read", async () => {
    await writeFile(join(folder.path, "open"), server.password, { mode: 0o600 });
    await chmod(join(folder.path, "open"), 0o666);
    const told = await status(url, { STRONGROOM_STORE_PASSWORD_FILE: "open" });
    assert.match(told.said, /file-permissions/);
    assert.equal(told.code, 2);
  });

  it("is told of while it is reachable: what it lacks, and that it takes no writes", async () => {
    const unprepared = await status(url);
    assert.match(unprepared.said, /not made yet; to migrate: .*store-unprepared.*strongroom store migrate/);
    const readOnly = await status(withoutPassword(plain.url), { STRONGROOM_STORE_PASSWORD_FILE: "plain" });
    assert.match(readOnly.said, /read-only.*store-unfit.*default_transaction_read_only = off/);
  });
});
