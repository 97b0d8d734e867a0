/**
 * One step of a move in a process of its own, which its test kills: `step.ts STEP STORE DATABASE`, the database a file of
 * SQLite or a URL of PostgreSQL.
 */
import { DatabaseSync } from "node:sqlite";
import { rawAesKeyring } from "@strongroom/envelope";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { back, cutOver, drop, fill, postgresDatabase, sqliteDatabase, vaultTarget } from "@strongroom/vault/moving";
import pg from "pg";
import { openVault } from "../../../src/open-vault.ts";

const STEPS = { fill, cutOver, drop, back };
const [name = "fill", store = "", place = ""] = process.argv.slice(2);
const pool = place.startsWith("postgres:") ? new pg.Pool({ connectionString: place, max: 4 }) : null;
const database = pool === null ? sqliteDatabase(new DatabaseSync(place, { timeout: 5000 })) : postgresDatabase(pool);
const keyring = rawAesKeyring({ keyNamespace: "test", keyName: "test", wrappingKey: Buffer.alloc(32, 7) });
const vault = await openVault({ store: await sqliteStore(store), keyring });
const options = {
  database,
  target: (collection: string) => vaultTarget(vault, collection),
  opener: null,
  holdMs: Number(process.env["HOLD_MS"] ?? 300),
};
console.log("ready");
const { state, counts, left } = await STEPS[name as keyof typeof STEPS](options, "people");
const heap = Math.round(process.memoryUsage.rss() / 1e6);
console.log(JSON.stringify({ stage: state.stage, counts, left, heap }));
await vault.close();
await pool?.end();
