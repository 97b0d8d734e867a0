import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";

await using vault = await openVault({
  store: await sqliteStore("vault.sqlite"),
  // In production: multiRegionKeyring of @strongroom/envelope/aws-kms, over your own AWS KMS clients.
  keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
});

const ada = { collection: "people", id: "42" };
const { version } = await vault.put(ada, { name: "Ada Lovelace", born: 1815 }, { subject: "person-42" });

// Only if nobody wrote in between; otherwise VaultError `version-conflict`.
await vault.put(ada, { name: "Ada King", born: 1815 }, { expect: { kind: "version", version } });

const { document } = await vault.get(ada);
const { document: before } = await vault.get(ada, { version: 1 });
console.log(document["name"], "was", before["name"]);
