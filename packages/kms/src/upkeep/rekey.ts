// Changing the root key: everything that the database holds sealed is opened with the old key and sealed with the new
// one, and every row gets a MAC under a new key, in one transaction. Killed at any point, the database opens with
// exactly one of the two, and the root key file (crypto/root-key.ts) comes to be the right one at the next start.

import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { SALT_LENGTH, promoteRootKey, readRootKey, stageRootKey } from "../crypto/root-key.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { authenticateRows } from "../integrity/authenticate.ts";
import { checkRows, requireSound } from "../integrity/row-check.ts";
import { closeCustody, openCustody } from "../store/custody.ts";
import type { Custody } from "../store/custody.ts";
import { requireDatabase } from "../store/database.ts";
import { META, writeMeta } from "../store/meta.ts";
import { sealedValues } from "./sealed-values.ts";

/** What `rekey` is asked to do. */
export interface RekeyOptions {
  readonly dataDir: string;
  /** The root key that the database has. */
  readonly from: RootKeySource;
  /**
   * The one that it gets. The file that `from` names: the key in it is replaced. Another file is made if it does not
   * exist.
   */
  readonly to: RootKeySource;
}

/** What `rekey` did. */
export interface RekeyReport {
  /** How many secrets were sealed anew. */
  readonly resealed: number;
  /** Where the old key is kept, if it lay in a file: backups from before open with it alone. */
  readonly oldKeyFile: string | null;
}

/**
 * Changes the root key of a data directory that no server uses.
 * @throws KmsError `store-absent`, `data-dir-in-use`, `root-key-wrong`, `root-key-missing`, `root-key-malformed`,
 *   `store-corrupt`, `audit-broken`, `option-invalid`.
 * @example
 * ```ts
 * import { mkdtemp } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { rekey, seedDataDir } from "@strongroom/kms";
 *
 * const dataDir = await mkdtemp(join(tmpdir(), "kms-"));
 * await seedDataDir({ dataDir, seed: { keys: [{ id: "11111111-2222-4333-8444-555555555555" }] } });
 * const from = { kind: "file", path: join(dataDir, "root.key") } as const;
 * const { resealed, oldKeyFile } = await rekey({ dataDir, from, to: from });
 * console.log(`${resealed} secrets are under the new key`); // prints: 3 secrets are under the new key
 * console.log(oldKeyFile?.startsWith(from.path)); // prints: true
 * ```
 */
export async function rekey({ dataDir, from, to }: RekeyOptions): Promise<RekeyReport> {
  requireDatabase(dataDir);
  const custody = await openCustody(dataDir, from);
  try {
    const salt = randomBytes(SALT_LENGTH);
    const replaces = from.kind === "file" && to.kind === "file" && resolve(from.path) === resolve(to.path);
    const rootKey = replaces ? stageRootKey(to.path) : await readRootKey(to, salt, "first-start");
    const resealed = await reseal(custody, rootKey, salt);
    // The new key must not take the file's place before the database that it opens is on the disk.
    await custody.database.syncLog();
    // Threat: secrets sealed under the old key, which may be known to others, live on in the log.
    custody.database.truncateLog();
    return { resealed, oldKeyFile: replaces ? promoteRootKey(to.path) : from.kind === "file" ? from.path : null };
  } finally {
    await closeCustody(custody);
  }
}

/** Takes over `rootKey`. */
async function reseal(custody: Custody, rootKey: Buffer, salt: Uint8Array): Promise<number> {
  const { database, sealer: old, log, rowKeys } = custody;
  const next = new Sealer(rootKey);
  try {
    return await database.db.transaction().execute(async (trx) => {
      // New MACs vouch for what is there: in this transaction nobody else writes any more.
      requireSound(await checkRows(trx, rowKeys), log.head);
      const values = await sealedValues(trx);
      for (const { identity, sealed, replace } of values) {
        const secret = old.open(sealed, identity);
        if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
        await replace(trx, next.seal(secret, identity));
        secret.fill(0);
      }
      await writeMeta(trx, { [META.salt]: salt });
      await authenticateRows(trx, next, log.head);
      // And the root check.
      return values.length + 1;
    });
  } finally {
    next.close();
  }
}
