import { randomBytes } from "node:crypto";
import { rawAesKeyring } from "@strongroom/envelope";
import { openVault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";

await using vault = await openVault({
  store: await sqliteStore("records.sqlite"),
  keyring: rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) }),
  keys: { store: await sqliteKeyStore("keys.sqlite") },
  audit: {
    log: await sqliteAuditLog("audit.sqlite"),
    // witnesses: [fileWitness({ path: "/mnt/other/vault.checkpoint", apartFrom: ["."] })],
    onAlarm({ code, message }) {
      console.error(code, message);
    },
  },
});
await vault.put({ collection: "people", id: "42" }, { name: "Ada Lovelace" }, { subject: "ada" });

// On behalf of one caller: made once a request, and costs nothing.
const support = vault.as({ principal: "user:7f3a", purpose: "support", ticket: "T-2041" });
await support.get({ collection: "people", id: "42" });

await vault.audit?.sequence(); // what was done is in the log at once, and not a second later
const page = await vault.as({ principal: "user:auditor" }).audit?.whoRead("ada", { action: "read" });
for (const { principal, action, ticket } of page?.events ?? []) console.log(principal, action, ticket);
