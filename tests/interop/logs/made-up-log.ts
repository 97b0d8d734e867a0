// A log of entries that were made up, signed as a vault's is: by its own key, and by keys of our own KMS. It has the
// sizes at which trees take another form.

import { randomBytes, randomUUID } from "node:crypto";
import { KMS } from "@aws-sdk/client-kms";
import { createKms } from "@strongroom/kms";
import { formatCheckpoint, formatConsistencyProof, formatInclusionProof } from "@strongroom/tlog/checkpoint";
import { formatSignature } from "@strongroom/tlog/note";
import { StoredTree } from "@strongroom/tlog/stored-tree";
import { CompactRange, leafHash } from "@strongroom/tlog/tree";
import { type CheckpointSigner, kmsCheckpointSigner } from "@strongroom/vault";
import { originOf, ownSigner } from "../../../packages/vault/src/audit/signer.ts";
import type { ClaimedLog } from "./verifier.ts";

const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 700];

/** Makes it; the KMS is gone when it is made. */
export async function madeUpLog(): Promise<ClaimedLog> {
  await using kms = await createKms();
  const client = new KMS(kms.clientConfig());
  const signers: CheckpointSigner[] = [ownSigner(randomBytes(32))];
  for (const KeySpec of ["ECC_NIST_EDWARDS25519", "ML_DSA_44"] as const) {
    const { KeyMetadata: key } = await client.createKey({ KeySpec, KeyUsage: "SIGN_VERIFY" });
    signers.push(await kmsCheckpointSigner({ client, keyId: key?.Arn ?? "" }));
  }
  const origin = originOf(randomUUID(), randomUUID());
  const entries = Array.from({ length: SIZES.at(-1) ?? 0 }, (_, index) =>
    JSON.stringify({ v: 1, id: randomUUID(), number: index + 1, principal: "who \u2028 \u00e9 \u{1f511}" }),
  );
  const tree = treeOf(entries);
  const checkpoints = new Map<number, string>();
  for (const size of SIZES) checkpoints.set(size, await signed(signers, origin, size, (await tree.at(size)).root()));
  client.destroy();
  const keys = signers.map((signer, index) => ({ vkey: signer.verifierOf(origin).vkey, isEd25519: index < 2 }));
  const claims: ClaimedLog["claims"][number][] = [];
  for (const [size, checkpoint] of checkpoints) {
    claims.push({ kind: "checkpoint", keys, proof: checkpoint, of: "" });
    for (const [oldSize, old] of checkpoints) {
      if (oldSize > size) continue;
      const hashes = await tree.proveConsistency(oldSize, size);
      claims.push({ kind: "consistency", keys, proof: formatConsistencyProof(oldSize, hashes, checkpoint), of: old });
    }
    for (const index of new Set([0, size >> 1, size - 1])) {
      const hashes = await tree.proveInclusion(index, size);
      claims.push({
        kind: "inclusion",
        keys,
        proof: formatInclusionProof(index, hashes, checkpoint),
        of: entries[index] ?? "",
      });
    }
  }
  return { name: "a log that was made up, signed by its own key and by two keys of a KMS", claims };
}

async function signed(
  signers: readonly CheckpointSigner[],
  origin: string,
  size: number,
  root: Uint8Array,
): Promise<string> {
  const text = formatCheckpoint({ origin, size, root });
  const lines = await Promise.all(
    signers.map(async (signer) => formatSignature(signer.verifierOf(origin), await signer.sign(origin, text))),
  );
  return `${text}\n${lines.join("")}`;
}

function treeOf(entries: readonly string[]): StoredTree {
  const leaves = entries.map((entry) => leafHash(entry));
  return new StoredTree(({ height, start, end }) => {
    const hashes = Array.from({ length: end - start }, (_, index) => {
      const range = new CompactRange();
      for (const leaf of leaves.slice((start + index) * 2 ** height, (start + index + 1) * 2 ** height))
        range.append(leaf);
      return range.root();
    });
    return Promise.resolve(hashes);
  });
}
