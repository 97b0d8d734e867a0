// Writes a database back to how the first version made it (migration 0001): a chain of MACs for the audit, and rows that
// nothing authenticates.

import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { Sealer } from "../../src/crypto/sealing.ts";
import { ROW_TABLE_NAMES } from "../../src/integrity/row-mac.ts";

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** Makes the database of a stopped KMS one of the version before, with the same entries. */
export function toOldFormat(dataDir: string): void {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
  const events = database.prepare("SELECT event FROM audit ORDER BY seq").all();
  const key = randomBytes(32);
  const sealer = new Sealer(Buffer.from(readFileSync(join(dataDir, "root.key"), "latin1").trim(), "hex"));
  database.exec(
    "BEGIN; DROP TABLE audit; DROP TABLE audit_nodes; " +
      'CREATE TABLE "audit" ("seq" integer primary key, "event" text not null, "mac" blob not null); ' +
      ROW_TABLE_NAMES.map((table) => `ALTER TABLE ${table} DROP COLUMN mac; `).join("") +
      "DELETE FROM meta WHERE name NOT IN ('root-salt'); DELETE FROM kysely_migration WHERE name > '0001-first'",
  );
  let mac: Buffer = Buffer.alloc(32);
  events.forEach((row, index) => {
    const event = String(row["event"]);
    mac = createHmac("sha256", key)
      .update(mac)
      .update(number(index + 1))
      .update(event, "utf8")
      .digest();
    database.prepare("INSERT INTO audit VALUES (?, ?, ?)").run(index + 1, event, mac);
  });
  const end = number(events.length);
  const head = Buffer.concat([end, createHmac("sha256", key).update("head").update(end).update(mac).digest()]);
  const meta = database.prepare("INSERT INTO meta VALUES (?, ?)");
  meta.run("root-check", sealer.seal(Buffer.from("strongroom-kms/root-check"), "strongroom-kms/root-check"));
  meta.run("audit-key", sealer.seal(key, "strongroom-kms/audit-key"));
  meta.run("audit-head", head);
  database.exec("COMMIT");
  database.close();
}
