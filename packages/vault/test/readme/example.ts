import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import { sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";

interface User {
  name: string;
  born?: number;
}

const wrappingKey = existsSync("local.key") ? readFileSync("local.key") : randomBytes(32);
writeFileSync("local.key", wrappingKey, { mode: 0o600 });

await using vault = await openVault({
  store: await sqliteStore("vault.sqlite"),
  // In production: multiRegionKeyring of @strongroom/envelope/aws-kms, over your own AWS KMS clients.
  keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey }),
  // A key for each person, in a database of its own.
  keys: { store: await sqliteKeyStore("keys.sqlite") },
});
const users = vault.collection<User>("users");

const id = randomUUID();
const { version } = await users.put(id, { name: "Ada Lovelace", born: 1815 }, { subject: "ada@example.com" });

// Only if nobody wrote in between; otherwise VaultError `version-conflict`.
await users.put(id, { name: "Ada King", born: 1815 }, { expect: { kind: "version", version } });

const { document } = await users.get(id);
const { document: before } = await users.get(id, { version });
console.log(document.name, "was", before.name);
