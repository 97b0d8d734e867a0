// The audit of a vault at work: what it gives out to a person (an access log with proofs), its checkpoints, signed by
// its own key and by one of a KMS, and the proofs that its witness gets.

import { randomBytes } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import { rawAesKeyring } from "@strongroom/envelope";
import { createKms } from "@strongroom/kms";
import { formatConsistencyProof } from "@strongroom/tlog/checkpoint";
import { kmsCheckpointSigner, openVault, parseSubject, type SignedHead, type Witness } from "@strongroom/vault";
import { memoryAuditLog, memoryKeyStore, memoryStore } from "@strongroom/vault/memory";
import type { ClaimedKey, ClaimedLog } from "./verifier.ts";

const ADA = "ada@example.com";
const ROUNDS = 6;
const PEOPLE = 40;

/** A witness that keeps everything that it is told, with the proof that each state goes on from the one before. */
class KeepingWitness implements Witness {
  readonly name = "the witness";
  readonly pauseMs = 0;
  readonly notes: string[] = [];
  readonly growth: { readonly old: string; readonly proof: string }[] = [];
  #last: SignedHead | null = null;

  async record(head: SignedHead): Promise<void> {
    const [old, { size }] = [this.#last, head.checkpoint];
    this.#last = head;
    this.notes.push(head.note);
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
  const accessLog = await audit.accessLog(parseSubject(ADA));
  await vault.close();
  client.destroy();
  const own: ClaimedKey = { vkey: accessLog.key, isEd25519: true };
  const [origin = ""] = accessLog.checkpoint.split("\n");
  const ofKms: ClaimedKey = { vkey: signer.verifierOf(origin).vkey, isEd25519: false };
  const claims: ClaimOfLog[] = [];
  for (const { text, proof } of accessLog.entries)
    if (text !== null) claims.push({ kind: "inclusion", keys: [own], proof, of: text });
  for (const { old, proof } of witness.growth) claims.push({ kind: "consistency", keys: [own], proof, of: old });
  // The key of the KMS signs from time to time, and the last of all.
  for (const note of [...checkpoints, ...witness.notes]) {
    const keys = note.split("\u2014 ").length === 3 ? [own, ofKms] : [own];
    claims.push({ kind: "checkpoint", keys, proof: note, of: "" });
  }
  requireEnough(claims);
  return { name: "the audit of a vault: a person's access log, its checkpoints, what its witness is told", claims };
}

type ClaimOfLog = ClaimedLog["claims"][number];

function requireEnough(claims: readonly ClaimOfLog[]): void {
  const count = (is: (claim: ClaimOfLog) => boolean): number => claims.filter(is).length;
  if (count(({ kind }) => kind === "inclusion") < 2 * ROUNDS) throw new Error("the access log lacks entries");
  if (count(({ kind }) => kind === "consistency") < 2) throw new Error("the witness was told nothing");
  if (count(({ keys }) => keys.length === 2) === 0) throw new Error("the key of the KMS has signed nothing");
}
