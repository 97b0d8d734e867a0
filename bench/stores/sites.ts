// Where a run makes its stores: a folder of its own for files, a server of its own for databases. Both are gone when
// the run is over.

import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { migratePostgres, migratePostgresAudit, migratePostgresKeys } from "@strongroom/vault/postgres";
import pg from "pg";

import { PostgresServer } from "../../tests/support/postgres/server.ts";

import type { Place, PlaceOf } from "./places.ts";
import type { StoreKind } from "./rows.ts";

/** What stores of one kind are made on. */
export interface Site extends AsyncDisposable {
  readonly kind: StoreKind;
  /** Of the database; null where there is none. */
  readonly version: string | null;
  /** A new, empty one. */
  make(): Promise<Place>;
  /** What `place` holds, once more. Nobody has it open. */
  copy(place: Place): Promise<Place>;
  /** Bytes on the disk. */
  size(place: Place): Promise<number>;
  /** Does what the database does by itself within a minute or so, so that a figure does not depend on when. */
  settle(place: Place): Promise<void>;
  remove(place: Place): Promise<void>;
}

export const SITES: Readonly<Record<StoreKind, () => Promise<Site>>> = {
  memory: async () => new MemorySite(),
  sqlite: async () => new FileSite(await mkdtemp(join(tmpdir(), "strongroom-bench-"))),
  postgres: async () => DatabaseSite.start(),
};

class MemorySite implements Site {
  readonly kind = "memory";
  readonly version = null;
  readonly #place: Place = { kind: "memory" };

  make = async (): Promise<Place> => this.#place;
  copy = async (): Promise<Place> => this.#place;
  size = async (): Promise<number> => 0;
  settle = async (): Promise<void> => undefined;
  remove = async (): Promise<void> => undefined;
  [Symbol.asyncDispose] = async (): Promise<void> => undefined;
}

/** A folder for each store: a store may be several files. */
class FileSite implements Site {
  readonly kind = "sqlite";
  readonly version: string | null = process.versions["sqlite"] ?? null;
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
    // A million records are not to be left behind by a run that is broken off.
    process.once("exit", () => {
      rmSync(folder, { recursive: true, force: true });
    });
  }

  async make(): Promise<Place> {
    const folder = join(this.#folder, String(++this.#made));
    await mkdir(folder);
    return { kind: "sqlite", file: join(folder, FILE) };
  }

  async copy(place: Place): Promise<Place> {
    const folder = join(this.#folder, String(++this.#made));
    await cp(folderOf(place), folder, { recursive: true });
    return { kind: "sqlite", file: join(folder, FILE) };
  }

  async size(place: Place): Promise<number> {
    const folder = folderOf(place);
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  settle = async (): Promise<void> => undefined;

  async remove(place: Place): Promise<void> {
    await rm(folderOf(place), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const FILE = "records.sqlite";

function folderOf(place: Place): string {
  if (place.kind !== "sqlite") throw new TypeError(`a place of ${place.kind} has no folder`);
  return dirname(place.file);
}

/** A server with its own settings, which sync what they commit. */
class DatabaseSite implements Site {
  readonly kind = "postgres";
  readonly version: string;
  readonly #server: PostgresServer;
  #made = 0;

  private constructor(server: PostgresServer, version: string) {
    this.#server = server;
    this.version = version;
  }

  static async start(): Promise<DatabaseSite> {
    const server = await PostgresServer.start();
    const [row] = await server.query<{ readonly server_version: string }>("show server_version");
    return new DatabaseSite(server, row?.server_version ?? "unknown");
  }

  async make(): Promise<Place> {
    const place = await this.#create("template1");
    const pool = new pg.Pool({ connectionString: place.url });
    try {
      await migratePostgres(pool);
      await migratePostgresKeys(pool);
      await migratePostgresAudit(pool);
    } finally {
      await pool.end();
    }
    return place;
  }

  copy(place: Place): Promise<Place> {
    return this.#create(nameOf(place));
  }

  async #create(template: string): Promise<PlaceOf<"postgres">> {
    const name = `bench_${++this.#made}`;
    const owner = new URL(this.#server.url).username;
    await this.#server.query(`create database ${name} owner ${owner} template ${template}`);
    return { kind: "postgres", url: this.#server.urlOf(name) };
  }

  async size(place: Place): Promise<number> {
    const [row] = await this.#server.query<{ readonly size: string }>("select pg_database_size($1) as size", [
      nameOf(place),
    ]);
    return Number(row?.size);
  }

  /** Tidies up and counts, as its own vacuum does. */
  async settle(place: Place): Promise<void> {
    const connectionString = this.#server.urlOf(nameOf(place), new URL(this.#server.adminUrl).username);
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await client.query("vacuum (analyze)");
    } finally {
      await client.end();
    }
  }

  async remove(place: Place): Promise<void> {
    await this.#server.query(`drop database ${nameOf(place)} with (force)`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function nameOf(place: Place): string {
  if (place.kind !== "postgres") throw new TypeError(`a place of ${place.kind} has no database`);
  return new URL(place.url).pathname.slice(1);
}
