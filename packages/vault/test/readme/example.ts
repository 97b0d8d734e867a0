import { randomBytes, randomUUID } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";

interface User {
  name: string;
  born?: number;
}

await using vault = await openVault({
  store: await sqliteStore("vault.sqlite"),
  // In production: multiRegionKeyring of @strongroom/envelope/aws-kms, over your own AWS KMS clients.
  keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
});
const users = vault.collection<User>("users");

const id = randomUUID();
const { version } = await users.put(id, { name: "Ada Lovelace", born: 1815 }, { subject: `person-${id}` });

// Only if nobody wrote in between; otherwise VaultError `version-conflict`.
await users.put(id, { name: "Ada King", born: 1815 }, { expect: { kind: "version", version } });

const { document } = await users.get(id);
const { document: before } = await users.get(id, { version });
console.log(document.name, "was", before.name);
