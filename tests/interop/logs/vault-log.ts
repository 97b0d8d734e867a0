// The audit of a vault at work: what it gives out to a person (an access log with proofs), its checkpoints, signed by
// its own key and by one of a KMS, and the proofs that its witness gets.

import { randomBytes } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import { rawAesKeyring } from "@strongroom/envelope";
import { createKms } from "@strongroom/kms";
import { formatConsistencyProof } from "@strongroom/tlog/checkpoint";
import {
  type CheckpointSigner,
  kmsCheckpointSigner,
  openVault,
  type SignedHead,
  type Vault,
  type Witness,
} from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import type { ClaimedKey, ClaimedLog } from "./verifier.ts";

const ADA = "ada@example.com";
const ROUNDS = 6;
const PEOPLE = 40;

/** A witness that keeps everything that it is told, with the proof that each state goes on from the one before. */
class KeepingWitness implements Witness {
  readonly name = "the witness";
  readonly pauseMs = 0;
  readonly growth: { readonly old: string; readonly proof: string }[] = [];
  #last: SignedHead | null = null;

  async record(head: SignedHead): Promise<void> {
    const [old, { size }] = [this.#last, head.checkpoint];
    this.#last = head;
    if (old === null) return;
    const hashes = await head.tree.proveConsistency(old.checkpoint.size, size);
    this.growth.push({ old: old.note, proof: formatConsistencyProof(old.checkpoint.size, hashes, head.note) });
  }

  examine(): Promise<{ readonly kind: "nothing" }> {
    return Promise.resolve({ kind: "nothing" });
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** Makes it; vault and KMS are gone when it is made. */
export async function vaultLog(): Promise<ClaimedLog> {
  await using kms = await createKms();
  const client = new KMS(kms.clientConfig());
  const { KeyMetadata: key } = await client.createKey({ KeySpec: "ML_DSA_44", KeyUsage: "SIGN_VERIFY" });
  const signer = await kmsCheckpointSigner({ client, keyId: key?.Arn ?? "" });
  const witness = new KeepingWitness();
  const vault = await openVault({
    keyring: rawAesKeyring({ keyNamespace: "interop", keyName: "k", wrappingKey: randomBytes(32) }),
    store: memoryStore(),
    keys: { store: memoryKeyStore() },
    audit: { log: memoryAuditLog(), signer, witnesses: [witness] },
  });
  const audit = vault.audit;
  if (audit === null) throw new Error("the vault has no audit");
  const checkpoints: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let person = 0; person < PEOPLE; person++)
      await vault.put(
        { collection: "people", id: `${round}-${person}` },
        { round },
        { subject: `p${person}@example.com` },
      );
    await vault.put({ collection: "people", id: "ada" }, { round }, { subject: ADA });
    await vault.as({ principal: "token:7", ticket: "T-1" }).get({ collection: "people", id: "ada" });
    await audit.sequence();
    checkpoints.push((await audit.checkpoint()) ?? "");
  }
  const claims = await claimsOf(audit, checkpoints, signer);
  await vault.close();
  client.destroy();
  const ownKey = claims[0]?.keys[0];
  if (ownKey === undefined || witness.growth.length === 0) throw new Error("the vault told its witness nothing");
  for (const { old, proof } of witness.growth) claims.push({ kind: "consistency", keys: [ownKey], proof, of: old });
  return { name: "the audit of a vault: a person's access log, its checkpoints, what its witness is told", claims };
}

type ClaimOfLog = ClaimedLog["claims"][number];

async function claimsOf(
  audit: NonNullable<Vault["audit"]>,
  checkpoints: readonly string[],
  signer: CheckpointSigner,
): Promise<ClaimOfLog[]> {
  const { entries, checkpoint, key } = await audit.accessLog(ADA);
  const own: ClaimedKey = { vkey: key, isEd25519: true };
  const claims: ClaimOfLog[] = [];
  for (const { text, proof } of entries)
    if (text !== null) claims.push({ kind: "inclusion", keys: [own], proof, of: text });
  if (claims.length < 2 * ROUNDS) throw new Error(`the access log has ${claims.length} entries`);
  for (const note of [...checkpoints, checkpoint])
    claims.push({ kind: "checkpoint", keys: [own], proof: note, of: "" });
  // A key of a KMS signs from time to time, and the first of all.
  const [origin = ""] = checkpoint.split("\n");
  const ofKms: ClaimedKey = { vkey: signer.verifierOf(origin).vkey, isEd25519: false };
  const both = checkpoints.filter((note) => note.split("\u2014 ").length === 3);
  if (both.length === 0) throw new Error("the key of the KMS has signed nothing");
  for (const note of both) claims.push({ kind: "checkpoint", keys: [own, ofKms], proof: note, of: "" });
  return claims;
}
