import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { rawAesKeyring } from "@strongroom/envelope";
import type { AddressInput, JsonObject, Store, Vault, VaultErrorCode, VaultRecord } from "@strongroom/vault";
import { openVault, VAULT_ERRORS, VaultError } from "@strongroom/vault";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

export const use = (): Promise<void> => inFolder(useIn);

async function useIn(folder: string): Promise<void> {
  const store: Store = await sqliteStore(join(folder, "vault.sqlite"));
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const vault: Vault = await openVault({ store, keyring });
  const ada: AddressInput = { collection: "people", id: "42" };
  const { version } = await vault.put(ada, { name: "Ada Lovelace" }, { subject: "person-42" });
  await vault.put(ada, { name: "Ada King" }, { expect: { kind: "version", version } });
  const record: VaultRecord = await vault.get(ada);
  const document: JsonObject = record.document;
  assert.equal(document["name"], "Ada King");

  const refused: unknown = await vault.get({ collection: "people", id: "43" }).catch((error: unknown) => error);
  assert.ok(refused instanceof VaultError);
  const code: VaultErrorCode = refused.code;
  assert.equal(VAULT_ERRORS[code].title, VAULT_ERRORS["record-absent"].title);
  await vault.close();
}

/** What the compiler is to refuse. */
export function misuse(vault: Vault, store: Store): void {
  // @ts-expect-error a forgotten keyring
  void openVault({ store });
  // @ts-expect-error a document is an object
  void vault.put({ collection: "people", id: "42" }, "Ada");
  // @ts-expect-error there is no such code
  "no-such-code" satisfies VaultErrorCode;
  // @ts-expect-error a record is not a number
  void vault.get({ collection: "people", id: "42" }).then((record) => record satisfies number);
}
