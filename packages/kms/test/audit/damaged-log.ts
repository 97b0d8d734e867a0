// A KMS that worked and was stopped, and everything that somebody who can write its database, but has no root key, does
// to the audit.

import { cpSync, mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createKms } from "@strongroom/kms";
import type { KmsOptions, WitnessSource } from "@strongroom/kms";
import { runningKms, temporaryDirectory } from "../running-kms.ts";

export interface WorkedKms {
  /** The data folder of a KMS that has ended. */
  readonly dataDir: string;
  readonly witness: WitnessSource & { readonly kind: "file" };
  readonly rootKey: { readonly kind: "file"; readonly path: string };
  /** Starts it again, makes calls, and ends it. */
  readonly work: (calls: number, options?: Partial<KmsOptions>) => Promise<void>;
  /** A copy of the folder as it is now, and what puts it back. */
  readonly picture: () => () => void;
}

/** A KMS that made `calls` calls and ended; its witness is not used unless it is given. */
export async function workedKms(t: TestContext, calls: number, options: Partial<KmsOptions> = {}): Promise<WorkedKms> {
  const folder = await temporaryDirectory(t);
  const dataDir = join(folder, "kms");
  mkdirSync(dataDir);
  const witness = { kind: "file", path: join(folder, "witness") } as const;
  const rootKey = { kind: "file", path: join(dataDir, "root.key") } as const;
  const work: WorkedKms["work"] = async (count, given = {}) => {
    const { kms, client } = await runningKms(t, { dataDir, ...options, ...given });
    const region = client();
    await Promise.all(Array.from({ length: count }, () => region.listKeys({})));
    await kms.close();
  };
  await work(calls);
  let pictures = 0;
  return {
    dataDir,
    witness,
    rootKey,
    work,
    picture: () => {
      const kept = join(folder, `picture-${pictures++}`);
      cpSync(dataDir, kept, { recursive: true });
      return () => {
        cpSync(kept, dataDir, { recursive: true });
      };
    },
  };
}

/** Starts a KMS on a folder and ends it again. */
export async function startOnce(options: KmsOptions): Promise<void> {
  await (await createKms(options)).close();
}

/** Changes the database as its writer. */
export function alter(dataDir: string, sql: string): void {
  const database = new DatabaseSync(join(dataDir, "kms.sqlite"));
  database.exec(sql);
  database.close();
}

/** What can be done to a log of twelve entries, in SQL. */
export const DAMAGE: Readonly<Record<string, string>> = {
  "its last entry cut off": "DELETE FROM audit WHERE seq = 12",
  "its tail cut off": "DELETE FROM audit WHERE seq > 5",
  "its middle cut out": "DELETE FROM audit WHERE seq BETWEEN 4 AND 6",
  "its middle cut out and the rest numbered anew":
    "DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = -seq WHERE seq > 4; UPDATE audit SET seq = -seq - 1 WHERE seq < 0",
  "its beginning cut off": "DELETE FROM audit WHERE seq < 4",
  emptied: "DELETE FROM audit",
  "emptied with its checkpoint": "DELETE FROM audit; DELETE FROM meta WHERE name = 'audit-checkpoint'",
  "emptied with all that is known of it":
    "DELETE FROM audit; DELETE FROM meta WHERE name IN ('audit-checkpoint', 'audit-signing-key')",
  "its checkpoint removed": "DELETE FROM meta WHERE name = 'audit-checkpoint'",
  "its checkpoint of another type": "UPDATE meta SET value = 'text' WHERE name = 'audit-checkpoint'",
  "its checkpoint changed to fewer":
    "DELETE FROM audit WHERE seq = 12; UPDATE meta SET value = CAST(replace(CAST(value AS TEXT), char(10) || '12' || char(10), char(10) || '11' || char(10)) AS BLOB) WHERE name = 'audit-checkpoint'",
  "an entry edited": "UPDATE audit SET event = replace(event, 'ListKeys', 'KeysList') WHERE seq = 7",
  "an entry edited by a space": "UPDATE audit SET event = event || ' ' WHERE seq = 12",
  "an entry's text removed": "UPDATE audit SET event = NULL WHERE seq = 3",
  "all texts removed": "UPDATE audit SET event = NULL",
  "an entry's text as bytes": "UPDATE audit SET event = CAST(event AS BLOB) WHERE seq = 3",
  "an entry's hash changed": "UPDATE audit SET leaf = zeroblob(32) WHERE seq = 3",
  "an entry's hash of another length": "UPDATE audit SET leaf = x'00' WHERE seq = 3",
  "two entries exchanged":
    "UPDATE audit SET seq = -4 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = -4",
  "an entry inserted at the end": "INSERT INTO audit SELECT 13, event, leaf FROM audit WHERE seq = 1",
  "an entry inserted before the first": "INSERT INTO audit SELECT 0, event, leaf FROM audit WHERE seq = 1",
  "an entry inserted far away": "INSERT INTO audit SELECT 9223372036854775807, event, leaf FROM audit WHERE seq = 1",
  "an entry doubled over another":
    "UPDATE audit SET (event, leaf) = (SELECT event, leaf FROM audit WHERE seq = 2) WHERE seq = 3",
  "a subtree that is not": "INSERT INTO audit_nodes VALUES (8, 0, zeroblob(32))",
  "its table dropped": "DROP TABLE audit",
  "its table of another form": "ALTER TABLE audit RENAME COLUMN leaf TO leaves",
  "the table of its subtrees dropped": "DROP TABLE audit_nodes",
  "a chain of before put beside it":
    'CREATE TABLE "audit_0001" ("seq" integer primary key, "event" text not null, "mac" blob not null); DELETE FROM audit',
};
