// What people, records, versions and reads take in the three stores, measured: small vaults over the project's own KMS
// in three regions, with an audit, on SQLite and on PostgreSQL, in each scope. `npm run scale -- --measure` writes the
// figures to docs/scale-sizes.json; they are sizes in bytes, and depend on no machine.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { KMS } from "@aws-sdk/client-kms";
import { multiRegionKeyring } from "@strongroom/envelope/aws-kms";
import { createKms } from "@strongroom/kms";
import { openVault, type AuditLog, type KeyStore, type Store, type Vault } from "@strongroom/vault";
import {
  migratePostgres,
  migratePostgresAudit,
  migratePostgresKeys,
  postgresAuditLog,
  postgresKeyStore,
  postgresStore,
} from "@strongroom/vault/postgres";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import pg from "pg";
import { PostgresServer } from "../../tests/support/postgres/server.ts";
import { SCOPES, STORES, type Scope, type StoreKind } from "./model.ts";

/** Bytes in each of the three stores. */
export interface Sizes {
  readonly records: number;
  readonly keys: number;
  readonly audit: number;
}

/** What one more of each takes. */
export interface RowSizes {
  /** Somebody new, with one record of one version. */
  readonly person: Sizes;
  /** A further record about somebody, of one version. */
  readonly record: Sizes;
  /** A further version of a record. */
  readonly version: Sizes;
  /** A read. */
  readonly read: Sizes;
}

/** The file docs/scale-sizes.json. */
export interface MeasuredSizes {
  readonly versions: Readonly<Record<StoreKind, string>>;
  /** Of a document, as JSON. */
  readonly documentBytes: number;
  /** How many of each were made. */
  readonly items: number;
  readonly regions: number;
  /** Of the message of a document, and of the wraps of a key, on their own. */
  readonly messageBytes: Readonly<Record<Scope, number>>;
  readonly wrapsBytes: number;
  readonly rows: Readonly<Record<StoreKind, Readonly<Record<Scope, RowSizes>>>>;
}

const REGIONS = ["eu-west-1", "eu-west-2", "eu-central-1"];
/** Made before: what a store begins with is none of its rows. */
const FIRST = 100;
const BATCH = 250;
const DOCUMENT_BYTES = 1_024;
const HOUR_MS = 3_600_000;

/** A place for three stores, and how much lies in each. */
interface Site extends AsyncDisposable {
  readonly version: string;
  open(): Promise<{ readonly store: Store; readonly keys: KeyStore; readonly log: AuditLog }>;
  sizes(): Promise<Sizes>;
}

/** What is measured. */
export interface Measuring {
  readonly stores: readonly StoreKind[];
  readonly scopes: readonly Scope[];
  readonly items: number;
}

const EVERYTHING: Measuring = { stores: STORES, scopes: SCOPES, items: 1_000 };

/** Everything takes some twenty thousand calls of the KMS, and a minute. */
export async function measureSizes({ stores, scopes, items }: Measuring = EVERYTHING): Promise<MeasuredSizes> {
  const folder = await mkdtemp(join(tmpdir(), "strongroom-scale-"));
  const kms = await createKms({
    dataDir: join(folder, "kms"),
    regions: REGIONS.map((name) => ({ name, port: 0 })),
    rootKey: { kind: "file", path: join(folder, "root.key") },
  });
  const clients = REGIONS.map((region) => new KMS({ ...kms.clientConfig(region), maxAttempts: 1 }));
  await using server = stores.includes("postgres") ? await PostgresServer.start() : null;
  try {
    const arns = await Promise.all(clients.map(async (client) => (await client.createKey({})).KeyMetadata!.Arn!));
    const keyring = multiRegionKeyring({
      regions: REGIONS.map((region, at) => ({ region, keyArn: arns[at]!, client: clients[at]! })),
      minimum: REGIONS.length,
      deadlineMs: 20_000,
      attemptTimeoutMs: 8_000,
      stragglerMinMs: 8_000,
      operationsWaitMs: 10_000,
    });
    const rows: Record<string, Record<string, RowSizes>> = {};
    const versions: Record<string, string> = {};
    const messages: Partial<Record<Scope, number>> = {};
    let wrapsBytes = 0;
    for (const kind of stores)
      for (const scope of scopes) {
        await using site =
          kind === "sqlite" ? new FileSite(join(folder, `${kind}-${scope}`)) : await databaseSite(server!);
        const { store, keys, log } = await site.open();
        const vault = await openVault({
          store,
          keyring,
          keySet: arns,
          keys: { store: keys, scope, cache: { maxAgeMs: HOUR_MS } },
          audit: { log },
        });
        try {
          (rows[kind] ??= {})[scope] = await measureRows(vault, items, () => site.sizes());
          versions[kind] = site.version;
          if (site instanceof FileSite) {
            messages[scope] = site.averageMessage();
            if (scope === "subject") wrapsBytes = site.averageWraps();
          }
        } finally {
          await vault.close();
        }
      }
    return {
      versions,
      documentBytes: DOCUMENT_BYTES,
      items,
      regions: REGIONS.length,
      messageBytes: messages,
      wrapsBytes,
      rows,
    } as unknown as MeasuredSizes;
  } finally {
    for (const client of clients) client.destroy();
    await kms.close();
    await rm(folder, { recursive: true });
  }
}

async function measureRows(vault: Vault, count: number, sizes: () => Promise<Sizes>): Promise<RowSizes> {
  const person = (n: number): string => `C${String(n).padStart(9, "0")}`;
  const put = async (collection: string, from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += BATCH) {
      const items = Array.from({ length: Math.min(BATCH, to - first) }, (_, n) => ({
        id: person(first + n),
        subject: person(first + n),
        document: documentOf(DOCUMENT_BYTES),
      }));
      await vault.putMany(collection, items, { onExisting: "replace" });
    }
  };
  const read = async (): Promise<void> => {
    for (let n = FIRST; n < FIRST + count; n++) await vault.get({ collection: "people", id: person(n) });
  };
  await put("people", 0, FIRST);
  let before = await settled(vault, sizes);
  const each = async (make: () => Promise<void>): Promise<Sizes> => {
    await make();
    const after = await settled(vault, sizes);
    const more = (store: keyof Sizes): number => Math.round((after[store] - before[store]) / count);
    const result = { records: more("records"), keys: more("keys"), audit: more("audit") };
    before = after;
    return result;
  };
  return {
    person: await each(() => put("people", FIRST, FIRST + count)),
    record: await each(() => put("orders", FIRST, FIRST + count)),
    version: await each(() => put("people", FIRST, FIRST + count)),
    read: await each(read),
  };
}

/** Longest wait for entries that others made meanwhile. */
const SETTLING = { rounds: 10, ms: 100 } as const;

/** When all entries have come from the outboxes to the log, and have gone from there. */
async function settled({ audit }: Vault, sizes: () => Promise<Sizes>): Promise<Sizes> {
  for (let round = 0; round < SETTLING.rounds; round++) {
    await audit?.sequence();
    if ((await audit?.status())?.waiting === 0) break;
    await delay(SETTLING.ms);
  }
  return sizes();
}

/** A document of exactly so many bytes of JSON. */
function documentOf(bytes: number): { readonly text: string } {
  const text = randomBytes(bytes).toString("base64url");
  return { text: text.slice(0, bytes - JSON.stringify({ text: "" }).length) };
}

class FileSite implements Site {
  readonly version: string = process.versions["sqlite"] ?? "unknown";
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open = async (): ReturnType<Site["open"]> => ({
    store: await sqliteStore(this.#file("records")),
    keys: await sqliteKeyStore(this.#file("keys")),
    log: await sqliteAuditLog(this.#file("audit")),
  });

  /** Without what rows of before have left behind, and what a store keeps free for a full disk. */
  sizes = async (): Promise<Sizes> => ({
    records: await this.#packed("records"),
    keys: await this.#packed("keys"),
    audit: await this.#packed("audit"),
  });

  averageMessage(): number {
    return Math.round(this.#number("records", "select avg(length(message)) from versions"));
  }

  /** Of the keys that people's messages hang on: those of the audit have shorter ones. */
  averageWraps(): number {
    return Math.round(
      this.#number(
        "keys",
        `select max(wraps) from (select avg(length(wraps)) as wraps from keys group by kind having count(*) >= ${FIRST})`,
      ),
    );
  }

  [Symbol.asyncDispose] = async (): Promise<void> => undefined;

  #file(store: keyof Sizes): string {
    return `${this.#folder}-${store}.sqlite`;
  }

  async #packed(store: keyof Sizes): Promise<number> {
    const copy = `${this.#folder}-copy.sqlite`;
    {
      using database = new DatabaseSync(this.#file(store), { readOnly: true });
      database.prepare("vacuum into ?").run(copy);
    }
    const { size } = await stat(copy);
    await rm(copy);
    return size;
  }

  #number(store: keyof Sizes, query: string): number {
    using database = new DatabaseSync(this.#file(store), { readOnly: true });
    return Number(Object.values(database.prepare(query).get() ?? {})[0]);
  }
}

/** Schema -> what it is. */
const SCHEMAS: Readonly<Record<string, keyof Sizes>> = {
  strongroom: "records",
  strongroom_keys: "keys",
  strongroom_audit: "audit",
};

async function databaseSite(server: PostgresServer): Promise<Site> {
  const connectionString = await server.createDatabase();
  const pool = new pg.Pool({ connectionString, max: 1 });
  await migratePostgres(pool);
  await migratePostgresKeys(pool);
  await migratePostgresAudit(pool);
  const own = (): pg.Pool => new pg.Pool({ connectionString, max: 4 });
  const { rows } = await pool.query<{ readonly server_version: string }>("show server_version");
  return {
    version: rows[0]?.server_version ?? "unknown",
    open: async () => ({
      store: await postgresStore(own(), { endPool: true }),
      keys: await postgresKeyStore(own(), { endPool: true }),
      log: await postgresAuditLog(own(), { endPool: true }),
    }),
    sizes: async () => {
      // Without what rows of before have left behind, which comes and goes.
      await pool.query("vacuum (full)");
      const { rows: tables } = await pool.query<{ readonly schema: string; readonly bytes: string }>(
        `select n.nspname as schema, sum(pg_total_relation_size(c.oid)) as bytes
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname = any($1) group by 1`,
        [Object.keys(SCHEMAS)],
      );
      const sizes = { records: 0, keys: 0, audit: 0 };
      for (const { schema, bytes } of tables) sizes[SCHEMAS[schema] ?? "records"] = Number(bytes);
      return sizes;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
