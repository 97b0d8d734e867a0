/**
 * What a hand in the databases does, in PostgreSQL.
 */
import { openVault } from "@strongroom/vault";
import { defer } from "../../../../tests/support/defer.ts";
import { auditHands } from "../support/audit-hands.ts";
import { aesKeyring } from "../support/vault.ts";
import { fileServer, newAuditSchema, newKeySchema, newSchema, poolOf } from "./support/storage.ts";

const { url } = await fileServer();

auditHands("postgres", async (t) => {
  const pools = [poolOf(url, 4), poolOf(url, 4), poolOf(url, 4)] as const;
  defer(t, async () => {
    for (const pool of pools) await pool.end();
  });
  const [records, keys, audit] = await Promise.all([
    newSchema(t, pools[0]),
    newKeySchema(t, pools[1]),
    newAuditSchema(t, pools[2]),
  ]);
  const log = await audit.open();
  const vault = await openVault({
    store: await records.open(),
    keyring: aesKeyring(),
    keys: { store: await keys.open() },
    audit: { log },
  });
  defer(t, () => vault.close());
  return {
    vault,
    log,
    takeText: (position) =>
      audit.forge(
        `delete from s.texts where position = ${position}`,
        `delete from s.people where position = ${position}`,
        `update s.log set forgotten = ${position + 1}`,
      ),
    takeAuditKeys: () =>
      keys.forge(
        "delete from s.keys k using s.owners o where k.owner = o.key and k.kind = 'audit' and o.name like 'person:%'",
      ),
    takeTombstones: () => records.forge("delete from s.heads where state = 'removed'"),
  };
});
