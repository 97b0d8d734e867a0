/**
 * A real PgBouncer 1.18 in transaction mode, from Debian: the one that breaks named statements. It is taken from the
 * machine or, where Debian's packages can be had, unpacked beside the other things that are kept; else a test of it is
 * skipped with the reason.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { defer } from "../defer.ts";
import { type Account, account, asAccount, handOver } from "./account.ts";
import { cachedFolder, privateFolder } from "./cache.ts";
import { answers, freePort } from "./ports.ts";
import type { PostgresServer } from "./server.ts";
import { USER } from "./template.ts";

const run = promisify(execFile);

const PACKAGES = ["pgbouncer", "libc-ares2", "libevent-2.1-7"];
const START_MS = 10_000;

/** The program, and where its libraries are. */
interface Program {
  readonly path: string;
  readonly libraries: string | null;
}

/** How the pooler keeps its connections to the server. */
export interface PgBouncerOptions {
  /** Most connections to the server for one database. */
  readonly poolSize: number;
}

/** The pooler before a server. */
export interface PgBouncer {
  /** The same database, through the pooler. */
  through(url: string): string;
}

/** Starts a pooler before the server, until the test ends; null, and the test is skipped, where there is none. */
export async function startPgBouncer(
  t: TestContext,
  server: PostgresServer,
  { poolSize }: PgBouncerOptions,
): Promise<PgBouncer | null> {
  const who = await account();
  const program = await findProgram(who);
  if (typeof program === "string") {
    t.skip(`no PgBouncer: ${program}`);
    return null;
  }
  const folder = await privateFolder(who, join(tmpdir(), "strongroom-pgbouncer-"));
  defer(t, () => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  await writeFile(join(folder, "users"), `"${USER}" "${server.password}"\n`, { mode: 0o600 });
  await writeFile(join(folder, "ini"), configuration(folder, { port, server: server.port, poolSize }), { mode: 0o600 });
  for (const name of ["users", "ini"]) await handOver(who, join(folder, name));
  const { command, args, ...as } = asAccount(who, program.path, ["--quiet", join(folder, "ini")]);
  const child = spawn(command, [...args], {
    ...as,
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...(program.libraries === null ? {} : { LD_LIBRARY_PATH: program.libraries }) },
  });
  let problems = "";
  child.stderr.on("data", (chunk: Buffer) => (problems += chunk.toString()));
  defer(t, () => end(child));
  for (const until = performance.now() + START_MS; !(await answers(port));) {
    if (child.exitCode !== null || performance.now() > until)
      throw new Error(`PgBouncer did not start: ${problems.slice(-2000)}`);
    await sleep(20);
  }
  return {
    through: (url) => {
      const changed = new URL(url);
      changed.port = String(port);
      return changed.href;
    },
  };
}

const configuration = (
  folder: string,
  { port, server, poolSize }: { readonly port: number; readonly server: number; readonly poolSize: number },
): string => `[databases]
* = host=127.0.0.1 port=${server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, "users")}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
`;

/** The machine's own, or Debian's; else why there is none. */
async function findProgram(who: Account): Promise<Program | string> {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]) {
    const path = join(folder, "pgbouncer");
    if (await runs(path, null)) return { path, libraries: null };
  }
  if (process.platform !== "linux") return "it is not installed";
  try {
    const kept = await cachedFolder(who, "pgbouncer-debian", async (folder) => {
      await run("apt-get", ["download", ...PACKAGES], { cwd: folder });
      const archives = (await readdir(folder)).filter((name) => name.endsWith(".deb"));
      for (const archive of archives) await run("dpkg-deb", ["--extract", archive, "."], { cwd: folder });
      await handOver(who, folder);
    });
    const [triplet = ""] = await readdir(join(kept, "usr", "lib")).then((names) =>
      names.filter((name) => name.endsWith("-linux-gnu")),
    );
    const found = { path: join(kept, "usr", "sbin", "pgbouncer"), libraries: join(kept, "usr", "lib", triplet) };
    return (await runs(found.path, found.libraries)) ? found : "Debian's does not run on this machine";
  } catch (error) {
    return `it is not installed, and apt-get brings none (${error instanceof Error ? error.message.split("\n")[0] : "?"})`;
  }
}

/** Whether it can be run: it says its version. */
async function runs(path: string, libraries: string | null): Promise<boolean> {
  const env = { ...process.env, ...(libraries === null ? {} : { LD_LIBRARY_PATH: libraries }) };
  return run(path, ["--version"], { env }).then(
    () => true,
    () => false,
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
