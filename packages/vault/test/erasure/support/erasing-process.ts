/** A process that writes about people and erases them until it is killed. Its key comes on standard input. */
import { openVault } from "@strongroom/vault";
import { sqliteAuditLog, sqliteKeyStore, sqliteStore } from "@strongroom/vault/sqlite";
import { join } from "node:path";
import { aesKeyring } from "../../support/vault.ts";

const [, , folder = "", round = "0", key = ""] = process.argv;
const vault = await openVault({
  store: await sqliteStore(join(folder, "records.sqlite")),
  keyring: aesKeyring(Buffer.from(key, "hex")),
  keys: { store: await sqliteKeyStore(join(folder, "keys.sqlite")) },
  audit: { log: await sqliteAuditLog(join(folder, "audit.sqlite")) },
});
process.stdout.write("ready\n");
for (let n = 0; ; n++) {
  const name = `erased-${round}-${n}`;
  for (let id = 0; id < 3; id++)
    await vault.put({ collection: "people", id: `${name}-${id}` }, { n }, { subject: name });
  await vault.put({ collection: "people", id: `${name}-0` }, { n: n + 1 });
  const beside = vault.put({ collection: "people", id: `kept-${round}-${n}` }, { n }, { subject: `kept-${round}` });
  const late = vault.put({ collection: "people", id: `${name}-late` }, { n }, { subject: name }).catch(() => undefined);
  process.stdout.write(`begin ${name}\n`);
  const { person, state } = await vault.erasure!.erase(name, { reason: "art-17" });
  process.stdout.write(`${state} ${person}\n`);
  await Promise.all([beside, late]);
}
