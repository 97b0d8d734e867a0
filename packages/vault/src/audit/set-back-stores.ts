/**
 * Whether a vault would be opened with stores as they are, for whoever looks and changes nothing: by the public key of
 * the audit alone, so that no KMS is asked and no secret is there.
 */
import type { AuditLog } from "../stores/audit-log.ts";
import type { KeyStore } from "../stores/key-store.ts";
import type { Store } from "../stores/store.ts";
import { compareStores } from "./compare-stores.ts";
import { ownKeyOf } from "./own-checkpoints.ts";

/** What is looked at. */
export interface SetBackOptions {
  readonly store: Pick<Store, "outbox">;
  readonly keyStore: Pick<KeyStore, "outbox" | "checkpoint">;
  readonly log: AuditLog;
  /** The verifier key of the audit, of whichever history (c2sp.org/signed-note). */
  readonly key: string;
}

/** Something of a vault that seems to be of an older time than the rest of it. */
export interface SetBackStore {
  readonly store: "records" | "keys" | "log";
  /** In words, which tell of nobody. */
  readonly message: string;
}

/**
 * Compares the stores of a vault with each other, as opening it does, also while it is open elsewhere. Stores that were
 * set back all together go together: only a witness tells of that.
 *
 * @returns what was set back; empty: they go together
 * @throws VaultError `vault-option-invalid`: the key is none of an audit; the stores'
 * @example
 * ```ts
 * import { randomBytes } from "node:crypto";
 * import { rawAesKeyring } from "@strongroom/envelope";
 * import { openVault, setBackStores } from "@strongroom/vault";
 * import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
 *
 * const keyring = rawAesKeyring({ keyNamespace: "example", keyName: "local", wrappingKey: randomBytes(32) });
 * const [store, keyStore, log] = [memoryStore(), memoryKeyStore(), memoryAuditLog()];
 * await using vault = await openVault({ store, keyring, keys: { store: keyStore }, audit: { log } });
 * await vault.put({ collection: "people", id: "1" }, { name: "Ada" }, { subject: "ada@example.com" });
 * await vault.audit!.sequence();
 * const { key } = await vault.audit!.status();
 *
 * console.log(await setBackStores({ store, keyStore, log, key })); // prints: []
 * ```
 */
export async function setBackStores({ store, keyStore, log, key }: SetBackOptions): Promise<readonly SetBackStore[]> {
  const { differences } = await compareStores({
    log,
    outboxes: { records: store.outbox, keys: keyStore.outbox },
    checkpoint: keyStore.checkpoint,
    witnesses: [],
    key: ownKeyOf(key),
  });
  return differences.flatMap(({ store: of, error }) =>
    of === "witness" ? [] : [{ store: of, message: error.message }],
  );
}
