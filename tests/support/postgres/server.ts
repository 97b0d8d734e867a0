/**
 * A real PostgreSQL for a test: empty, durable, on a free port of the loopback interface, in a folder that goes with it.
 *
 * @example
 *
 *     test("…", async (t) => {
 *       const server = await startPostgres(t);
 *       const pool = new pg.Pool({ connectionString: await server.createDatabase() });
 *     });
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { defer } from "../defer.ts";
import { account, type Account, asAccount, handOver } from "./account.ts";
import { privateFolder } from "./cache.ts";
import type { Task, Told } from "./keeper.ts";
import { answers, freePort } from "./ports.ts";
import { killTree } from "./processes.ts";
import { type PostgresVersion, programs, type Programs } from "./programs.ts";
import { ADMIN, copyTemplate, runProgram, USER } from "./template.ts";

/** What a test wants of its server. */
export interface PostgresOptions {
  readonly version?: PostgresVersion;
  /** Settings by their names, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A certificate and its key, in PEM: the server then answers to TLS, and goes on answering without it. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** The folder in which its own is made; left out: the one for temporary files. */
  readonly within?: string;
}

/** `fast`: breaks connections off and writes what it must. `immediate`: as a crash, but for what it says to clients. */
export type Stop = "fast" | "immediate";

const KEEPER = fileURLToPath(new URL("keeper.ts", import.meta.url));
const HOST = "127.0.0.1";
const SIGNAL: Readonly<Record<Stop, NodeJS.Signals>> = { fast: "SIGINT", immediate: "SIGQUIT" };
const START_MS = 60_000;
const BASE_SETTINGS = { listen_addresses: HOST, unix_socket_directories: "", huge_pages: "off", lc_messages: "C" };

/** Starts a server, and ends it with the test. */
export async function startPostgres(t: TestContext, options: PostgresOptions = {}): Promise<PostgresServer> {
  const server = await PostgresServer.start(options);
  defer(t, () => server[Symbol.asyncDispose]());
  return server;
}

export class PostgresServer implements AsyncDisposable {
  readonly folder: string;
  readonly version: PostgresVersion;
  readonly password: string;
  readonly #account: Account;
  readonly #programs: Programs;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #keeper: ChildProcess;
  #port = 0;
  #pid: number | null = null;
  #databases = 0;

  private constructor(parts: Parts) {
    this.folder = parts.folder;
    this.version = parts.programs.version;
    this.password = parts.password;
    this.#account = parts.account;
    this.#programs = parts.programs;
    this.#settings = parts.settings;
    this.#keeper = keep(parts.folder);
    this.#keeper.on("message", (told: Told) => {
      this.#pid = told.kind === "started" ? told.pid : null;
    });
  }

  /** Starts a server; end it by its disposal. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const { version = 18, within = tmpdir(), tls } = options;
    const who = await account();
    const found = await programs(version, who);
    return PostgresServer.#in(who, within, async (folder) => {
      const data = join(folder, "data");
      const password = await copyTemplate(who, found, data);
      const files = tls === undefined ? {} : { "server.crt": tls.certificate, "server.key": tls.key };
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(data, name), content, { mode: 0o600 });
        await handOver(who, join(data, name));
      }
      const settings = { ...(tls === undefined ? {} : { ssl: "on" }), ...options.settings };
      return { folder, account: who, programs: found, password, settings };
    });
  }

  /** A server of a new folder, which is gone again when it does not start. */
  static async #in(who: Account, within: string, fill: (folder: string) => Promise<Parts>): Promise<PostgresServer> {
    const folder = await privateFolder(who, join(within, "strongroom-postgres-"));
    try {
      return await new PostgresServer(await fill(folder)).#begin();
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get port(): number {
    return this.#port;
  }

  /** Of the server's first process; null while it is down. */
  get pid(): number | null {
    return this.#pid;
  }

  /** The database of the ordinary user. */
  get url(): string {
    return this.urlOf(USER, USER);
  }

  /** The superuser's. */
  get adminUrl(): string {
    return this.urlOf(ADMIN, ADMIN);
  }

  urlOf(database: string, user: string = USER): string {
    return `postgres://${user}:${this.password}@${HOST}:${this.#port}/${database}`;
  }

  /** An empty database that the ordinary user owns; answers with its URL. */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.query(`create database ${name} owner ${USER}`);
    return this.urlOf(name);
  }

  /** One statement as the superuser, on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.adminUrl });
    // A server that is killed breaks the connection off outside of any statement too.
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends the connections to a database by `pg_terminate_backend`; answers with how many there were. */
  async terminateBackends(url: string = this.url): Promise<number> {
    const ended = await this.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
      [new URL(url).pathname.slice(1)],
    );
    return ended.length;
  }

  /** Ends the server; `start` brings it back. */
  async stop(how: Stop = "fast"): Promise<void> {
    if (this.#pid === null) return;
    process.kill(this.#pid, SIGNAL[how]);
    await this.#ended();
  }

  /** SIGKILL to every process of the server at once, as when a machine is lost; `start` brings it back. */
  async kill(): Promise<void> {
    if (this.#pid === null) return;
    await killTree(this.#pid);
    await this.#ended();
  }

  /** Starts it again after `stop` or `kill`, on the same folder and port. */
  async start(): Promise<void> {
    if (this.#pid !== null) return;
    const problem = await this.#launch(this.#port);
    if (problem !== null) throw new Error(`PostgreSQL did not start: ${problem}`);
  }

  /** What the server wrote to its log. */
  async log(): Promise<string> {
    return readFile(join(this.folder, "log"), "utf8").catch(() => "");
  }

  /**
   * Another server that follows this one asynchronously. Of version 15: the other one comes without `pg_basebackup`.
   * Writes are refused there until `promote`.
   */
  async standby(): Promise<PostgresServer> {
    const parts = { account: this.#account, programs: this.#programs, password: this.password };
    const from = ["--host", HOST, "--port", String(this.#port), "--username", ADMIN, "--write-recovery-conf"];
    return PostgresServer.#in(parts.account, tmpdir(), async (folder) => {
      const args = [`--pgdata=${join(folder, "data")}`, ...from];
      await runProgram(parts.account, parts.programs, "pg_basebackup", args, "", { PGPASSWORD: this.password });
      return { ...parts, folder, settings: this.#settings };
    });
  }

  /** Makes a standby a server of its own; resolves when it takes writes. */
  async promote(): Promise<void> {
    const [row] = await this.query<{ readonly promoted: boolean }>("select pg_promote(true, 60) as promoted");
    if (row?.promoted !== true) throw new Error("the standby was not promoted");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const exit = once(this.#keeper, "exit");
    this.#keeper.ref();
    if (this.#keeper.connected) this.#keeper.disconnect();
    await exit;
  }

  /** The first start, on whatever port is free. */
  async #begin(): Promise<this> {
    let problem: string | null = "no port is free";
    for (let attempt = 0; attempt < 10 && problem !== null; attempt++) {
      this.#port = await freePort();
      problem = await this.#launch(this.#port);
      if (problem !== null && !/could not bind|Address already in use/.test(problem)) break;
    }
    if (problem === null) return this;
    await this[Symbol.asyncDispose]();
    throw new Error(`PostgreSQL did not start: ${problem}`);
  }

  /** Null once it takes connections; else what it wrote before it ended. */
  async #launch(port: number): Promise<string | null> {
    const data = join(this.folder, "data");
    const before = (await this.log()).length;
    const settings = Object.entries({ ...BASE_SETTINGS, ...this.#settings, port: String(port) });
    const args = ["-D", data, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const task: Task = {
      ...asAccount(this.#account, this.#programs.path("postgres"), args),
      environment: this.#programs.environment,
      log: join(this.folder, "log"),
    };
    const started = once(this.#keeper, "message") as Promise<[Told]>;
    this.#keeper.send(task);
    this.#keeper.ref();
    await started;
    this.#keeper.unref();
    const deadline = performance.now() + START_MS;
    while (this.#pid !== null && performance.now() < deadline) {
      // A standby says that it is ready before it takes connections.
      if ((await this.#isReady(this.#pid)) && (await answers(port))) return null;
      await sleep(10);
    }
    if (this.#pid !== null) await this.stop("immediate");
    return (await this.log()).slice(before).slice(-4000);
  }

  /** What `pg_ctl` looks at: the first line of the file is the process, the eighth how far it is. */
  async #isReady(pid: number): Promise<boolean> {
    const file = await readFile(join(this.folder, "data", "postmaster.pid"), "utf8").catch(() => "");
    const lines = file.split("\n");
    return lines[0] === String(pid) && /^(ready|standby)/.test(lines[7] ?? "");
  }

  async #ended(): Promise<void> {
    while (this.#pid !== null) await sleep(5);
  }
}

/** What a server is made of. */
interface Parts {
  readonly folder: string;
  readonly account: Account;
  readonly programs: Programs;
  readonly password: string;
  readonly settings: Readonly<Record<string, string>>;
}

function keep(folder: string): ChildProcess {
  const keeper = fork(KEEPER, [folder], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  // A test that forgot its server ends all the same, and the keeper with it.
  keeper.unref();
  (keeper.channel as { unref?: () => void } | null)?.unref?.();
  return keeper;
}
