// The example application, on SQLite files in a folder of its own: npm run example:app, or
//
//   node --conditions=@strongroom/source examples/app/main.ts FOLDER PORT
//
// Its keyring is a key in a file, so that it runs without a KMS. An application of one's own gives a keyring of
// @strongroom/envelope/aws-kms in its place; nothing else changes.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { rawAesKeyring } from "@strongroom/envelope";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { sqliteAccounts } from "./accounts.ts";
import { createApp } from "./app.ts";
import { openCustomers } from "./vault.ts";

const [folder = "app-data", port = "3000"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true, mode: 0o700 });
const keyFile = join(folder, "wrapping.key");
if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32), { mode: 0o600, flag: "wx" });
const tokenFile = join(folder, "support.token");
if (!existsSync(tokenFile))
  writeFileSync(tokenFile, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });

const vault = await openCustomers({
  store: await sqliteStore(join(folder, "records.sqlite")),
  keyStore: await sqliteKeyStore(join(folder, "keys.sqlite")),
  log: await sqliteAuditLog(join(folder, "audit.sqlite")),
  keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: readFileSync(keyFile) }),
});
const database = new DatabaseSync(join(folder, "app.sqlite"), { timeout: 5000 });
const app = createApp({
  vault,
  accounts: sqliteAccounts(database, vault),
  supportToken: readFileSync(tokenFile, "utf8"),
});
console.log(`The application listens: ${await app.listen({ host: "127.0.0.1", port: Number(port) })}`);

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void app
      .close()
      .then(() => vault.close())
      .then(() => {
        database.close();
      });
  });
