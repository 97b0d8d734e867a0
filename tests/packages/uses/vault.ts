import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { KMS } from "@aws-sdk/client-kms";
import { rawAesKeyring } from "@strongroom/envelope";
import { createKms } from "@strongroom/kms";
import type {
  AccessLog,
  ActingVault,
  AddressInput,
  AuditAction,
  AuditAlarm,
  AuditEvent,
  AuditOptions,
  AuditPage,
  AuditQuery,
  AuditResult,
  AuditStatus,
  CheckpointSigner,
  JsonObject,
  LogReport,
  ObjectStoreClient,
  RestoredBackup,
  SetBackStore,
  Store,
  Vault,
  VaultAudit,
  VaultErrorCode,
  VaultRecord,
  VerifyReport,
  Witness,
} from "@strongroom/vault";
import {
  AUDIT_ACTIONS,
  fileWitness,
  kmsCheckpointSigner,
  objectWitness,
  openVault,
  setBackStores,
  urlWitness,
  VAULT_ERRORS,
  VaultError,
  VERIFY_CODES,
  VERIFY_PARTS,
  verifyAccessLog,
  verifyAuditLog,
} from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import { sqliteStore } from "@strongroom/vault/sqlite";
import { inFolder } from "./support/folder.ts";

export const use = (): Promise<void> =>
  inFolder(async (folder) => {
    await useIn(folder);
    await useAudit(folder);
  });

async function useIn(folder: string): Promise<void> {
  const store: Store = await sqliteStore(join(folder, "records.sqlite"));
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

/** Who did what, its log signed by a key of a KMS too, with witnesses of each kind. */
async function useAudit(folder: string): Promise<void> {
  const kms = await createKms();
  const client = new KMS(kms.clientConfig());
  const { KeyMetadata } = await client.createKey({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" });
  const signer: CheckpointSigner = await kmsCheckpointSigner({ client, keyId: KeyMetadata?.Arn ?? "" });
  const witness: Witness = fileWitness({ path: join(folder, "checkpoint"), apartFrom: [join(folder, "stores")] });
  const bucket = objectWitness({ client: noBucket, bucket: "checkpoints", prefix: "vaults/", days: 400 });
  assert.match(bucket.name, /checkpoints/);
  assert.match(urlWitness("https://witness.example/strongroom").name, /witness\.example/);

  const alarms: AuditAlarm[] = [];
  const log = memoryAuditLog();
  const audit: AuditOptions = { log, signer, witnesses: [witness], onAlarm: (alarm) => alarms.push(alarm) };
  const keyring = rawAesKeyring({ keyNamespace: "packed", keyName: "one", wrappingKey: randomBytes(32) });
  const [store, keyStore] = [memoryStore(), memoryKeyStore()];
  const vault = await openVault({ store, keyring, keys: { store: keyStore }, audit });
  const acting: ActingVault = vault.as({ principal: "token:1", purpose: "support", ticket: "HELP-1" });
  await acting.put({ collection: "people", id: "42" }, { name: "Ada" }, { subject: "ada" });
  await acting.get({ collection: "people", id: "42" });
  await acting.list("people");

  const view: VaultAudit = vault.audit ?? assert.fail("the vault has an audit");
  await view.sequence();
  const query: AuditQuery = { action: "read", principal: "token:1" };
  const page: AuditPage = await view.events(query);
  const [event]: readonly AuditEvent[] = page.events;
  const action: AuditAction | undefined = event?.action;
  const result: AuditResult | undefined = event?.result;
  assert.deepEqual([action, result, event?.purpose, event?.ticket], ["read", "done", "support", "HELP-1"]);
  assert.ok(AUDIT_ACTIONS.includes("read"));
  const { key }: AuditStatus = await view.status();
  const report: LogReport = await verifyAuditLog(log, { key, checkpoints: [(await view.checkpoint()) ?? ""] });
  assert.deepEqual(report.problems, []);
  const setBack: readonly SetBackStore[] = await setBackStores({ store, keyStore, log, key });
  assert.deepEqual(setBack, []);
  assert.equal(await view.forget({ before: "2000-01-01T00:00:00.000Z" }), 0);
  const file: AccessLog = await view.accessLog("ada");
  assert.ok(file.entries.length > 0);
  assert.deepEqual(verifyAccessLog(file, { key }).problems, []);
  const whole: VerifyReport = await vault.verify();
  assert.deepEqual(whole.problems, {});
  assert.ok(VERIFY_PARTS.includes("records"));
  VERIFY_CODES satisfies object;
  assert.deepEqual(alarms, []);
  await vault.close();
  client.destroy();
  await kms.close();
}

/** It is not asked. */
const noBucket: ObjectStoreClient = {
  putObject: () => Promise.reject(new Error("there is no bucket")),
  getObject: () => Promise.reject(new Error("there is no bucket")),
  listObjectVersions: () => Promise.reject(new Error("there is no bucket")),
};

/** What the compiler is to refuse. */
export function misuse(vault: Vault, store: Store): void {
  // @ts-expect-error an audit has a log
  ({}) satisfies AuditOptions;
  // @ts-expect-error a backup is restored for a reason
  ({ backup: "1", cut: "2", checkpoint: "3", key: "4" }) satisfies RestoredBackup;
  // @ts-expect-error nobody does this
  "look" satisfies AuditAction;
  // @ts-expect-error a caller is named
  vault.as({ purpose: "support" });
  // @ts-expect-error a checkpoint is verified by a key
  void verifyAuditLog(memoryAuditLog(), {});
  // @ts-expect-error a forgotten keyring
  void openVault({ store });
  // @ts-expect-error a document is an object
  void vault.put({ collection: "people", id: "42" }, "Ada");
  // @ts-expect-error there is no such code
  "no-such-code" satisfies VaultErrorCode;
  // @ts-expect-error a record is not a number
  void vault.get({ collection: "people", id: "42" }).then((record) => record satisfies number);
}
