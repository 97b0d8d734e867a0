// The database of the demo's installation as a thief has it: SQLite in the data folder, or PostgreSQL where
// STRONGROOM_STORE names one. He reads and writes rows, and has no key.
import { readFileSync } from "node:fs";
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";

/** Rows, by the id of their record in the collection `people`. */
export interface Rows {
  /** How somebody at a shell would run a statement. */
  shell(statement: string): string;
  /** The statement that reads a message, as it is shown. */
  readonly reading: (id: string) => string;
  message(id: string): Promise<Uint8Array>;
  /** The statement that puts the message of one record in the place of another's. */
  readonly moving: (from: string, to: string) => string;
  /** The two statements that make a record's second version undone: its row goes, and the head says one. */
  readonly settingBack: (id: string) => readonly string[];
  run(statement: string): Promise<void>;
  restore(id: string, message: Uint8Array): Promise<void>;
  /** Keeps a copy of the database as it is now, in a folder; false: it lies on a server. */
  keep(folder: string): Promise<boolean>;
  /** Puts the copy in the place of the database, and the database into the folder. Nothing may have it open. */
  exchange(folder: string): Promise<void>;
  /** Writes all that the database holds into a file, so that it can be searched; false: its files lie in the folder. */
  copyTo(path: string): Promise<boolean>;
}

/** Of the installation in a data folder. */
export function rowsOf(dataDir: string): Rows {
  const url = process.env["STRONGROOM_STORE"];
  return url === undefined || url === "" ? sqliteRows(join(dataDir, "records.sqlite")) : postgresRows(url);
}

const reading =
  (schema: string, key: string) =>
  (id: string): string =>
    `SELECT message FROM ${schema}versions WHERE record = (SELECT ${key} FROM ${schema}records WHERE id = '${id}')`;

const moving =
  (schema: string, key: string) =>
  (from: string, to: string): string =>
    `UPDATE ${schema}versions SET message = (${reading(schema, key)(from)}) ` +
    `WHERE record = (SELECT ${key} FROM ${schema}records WHERE id = '${to}')`;

const settingBack =
  (schema: string, key: string) =>
  (id: string): readonly string[] => {
    const record = `record = (SELECT ${key} FROM ${schema}records WHERE id = '${id}')`;
    return [
      `DELETE FROM ${schema}versions WHERE version = 2 AND ${record}`,
      `UPDATE ${schema}heads SET version = 1 WHERE ${record}`,
    ];
  };

function sqliteRows(path: string): Rows {
  const withDatabase = <Result>(use: (database: DatabaseSync) => Result): Result => {
    const database = new DatabaseSync(path, { timeout: 5000 });
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  const read = reading("", "record");
  return {
    shell: (statement) => `sqlite3 records.sqlite "${statement}"`,
    reading: (id) => read(id).replace("message", "hex(message)"),
    message: async (id) =>
      bytesOf(
        id,
        withDatabase((database) => database.prepare(read(id)).get()?.["message"]),
      ),
    moving: moving("", "record"),
    settingBack: settingBack("", "record"),
    run: async (statement) => {
      withDatabase((database) => {
        database.exec(statement);
      });
    },
    restore: async (id, message) => {
      withDatabase((database) => {
        const place = "WHERE record = (SELECT record FROM records WHERE id = ?)";
        database.prepare(`UPDATE versions SET message = ? ${place}`).run(message, id);
      });
    },
    keep: async (folder) => {
      await mkdir(folder, { recursive: true });
      // The mark too, with which a copy that was put back alone would be noticed.
      await copyFile(`${path}.mark`, join(folder, "records.sqlite.mark"));
      withDatabase((database) => database.prepare("VACUUM INTO ?").run(join(folder, "records.sqlite")));
      return true;
    },
    exchange: async (folder) => {
      for (const ending of ["", ".mark"]) {
        const kept = join(folder, `records.sqlite${ending}`);
        await rename(path + ending, `${kept}.other`);
        await rename(kept, path + ending);
        await rename(`${kept}.other`, kept);
      }
    },
    copyTo: async () => false,
  };
}

function postgresRows(url: string): Rows {
  const { STRONGROOM_STORE_PASSWORD, STRONGROOM_STORE_PASSWORD_FILE: file, STRONGROOM_STORE_SCHEMA } = process.env;
  const schema = `${STRONGROOM_STORE_SCHEMA ?? "strongroom"}.`;
  const password = file === undefined ? STRONGROOM_STORE_PASSWORD : readFileSync(file, "utf8").trimEnd();
  const withClient = async <Result>(use: (client: Client) => Promise<Result>): Promise<Result> => {
    const place = new URL(url);
    place.password = encodeURIComponent(password ?? "");
    const client = new Client({ connectionString: place.href });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  };
  const query = (statement: string, values: readonly unknown[] = []): Promise<Readonly<Record<string, unknown>>[]> =>
    withClient(async (client) => (await client.query<Record<string, unknown>>(statement, [...values])).rows);
  const read = reading(schema, "key");
  return {
    shell: (statement) => `psql records -c "${statement}"`,
    reading: read,
    message: async (id) => bytesOf(id, (await query(read(id)))[0]?.["message"]),
    moving: moving(schema, "key"),
    settingBack: settingBack(schema, "key"),
    run: async (statement) => {
      await query(statement);
    },
    restore: async (id, message) => {
      const place = `WHERE record = (SELECT key FROM ${schema}records WHERE id = $2)`;
      await query(`UPDATE ${schema}versions SET message = $1 ${place}`, [message, id]);
    },
    keep: async () => false,
    exchange: async () => {
      throw new Error("a server's database is set back by its administrator");
    },
    copyTo: async (path) => {
      const tables = await query("SELECT tablename AS name FROM pg_tables WHERE schemaname = $1", [
        schema.slice(0, -1),
      ]);
      const rows = await Promise.all(tables.map(({ name }) => query(`SELECT * FROM ${schema}"${String(name)}"`)));
      const cells = rows.flat().flatMap((row) => Object.values(row));
      await writeFile(
        path,
        Buffer.concat(cells.map((cell) => (cell instanceof Uint8Array ? cell : Buffer.from(`${String(cell)}\n`)))),
      );
      return true;
    },
  };
}

function bytesOf(id: string, message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message;
  throw new Error(`there is no row for ${id}`);
}
