// What others need to verify the audit with a program of their own: the newest checkpoint, the key that it is signed
// with, and proofs (c2sp.org/tlog-checkpoint, signed-note, tlog-proof, tlog-witness).

import type { KeyObject } from "node:crypto";
import type { Kysely } from "kysely";
import { formatConsistencyProof, formatInclusionProof } from "@strongroom/tlog/checkpoint";
import type { Checkpoint } from "@strongroom/tlog/checkpoint";
import { signingKeyOf } from "@strongroom/tlog/keys";
import { openCheckpoint, signerFor } from "../audit/log.ts";
import { storedTree } from "../audit/tree-rows.ts";
import type { RootKeySource } from "../crypto/root-key.ts";
import { KmsError } from "../errors.ts";
import { requireDatabase } from "../store/database.ts";
import { META, SIGNING_KEY, readMeta } from "../store/meta.ts";
import type { Schema } from "../store/schema.ts";
import { readingFile, sealerOf } from "./database-file.ts";

/** A data directory, and the root key that opens the audit's key. */
export interface AuditLogOptions {
  readonly dataDir: string;
  readonly rootKey: RootKeySource;
}

/** The audit as others see it. */
export interface AuditLogState {
  /** The signed note of the newest state. */
  readonly checkpoint: string;
  /** The verifier key of c2sp.org/signed-note. */
  readonly key: string;
  readonly origin: string;
  readonly size: number;
}

interface ReadState extends AuditLogState {
  readonly db: Kysely<Schema>;
}

/**
 * The newest checkpoint of the audit, and the key that verifies it. A server may be at work.
 * @throws KmsError `store-absent`, `root-key-missing`, `root-key-wrong`, `store-corrupt`, `audit-broken`.
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { auditCheckpoint, createKms } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * const rootKey = { kind: "file", path: join(kms.dataDir, "root.key") } as const;
 * const { checkpoint, key, origin } = await auditCheckpoint({ dataDir: kms.dataDir, rootKey });
 * console.log(checkpoint.startsWith(origin), key.startsWith(origin)); // prints: true true
 * ```
 */
export function auditCheckpoint(options: AuditLogOptions): Promise<AuditLogState> {
  return reading(options, ({ checkpoint, key, origin, size }) => Promise.resolve({ checkpoint, key, origin, size }));
}

/** An entry of the audit, and the proof that it is one. */
export interface EntryProof {
  /** The leaf, exactly; null once it is kept only as a hash. */
  readonly event: string | null;
  /** As c2sp.org/tlog-proof has it, with the newest checkpoint. */
  readonly proof: string;
}

/**
 * Proves that entry `seq` (from 1) is in the audit. A server may be at work.
 * @throws KmsError `option-invalid` for an entry that is not there, and as `auditCheckpoint`.
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { KMS } from "@aws-sdk/client-kms";
 * import { createKms, proveAuditEntry } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * await new KMS(kms.clientConfig()).listKeys({});
 * const rootKey = { kind: "file", path: join(kms.dataDir, "root.key") } as const;
 * const { event, proof } = await proveAuditEntry({ dataDir: kms.dataDir, rootKey, seq: 1 });
 * console.log(event?.includes("ListKeys"), proof.startsWith("c2sp.org/tlog-proof@v1")); // prints: true true
 * ```
 */
export function proveAuditEntry(options: AuditLogOptions & { readonly seq: number }): Promise<EntryProof> {
  const { seq } = options;
  return reading(options, async ({ db, size, checkpoint }) => {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > size)
      throw new KmsError("option-invalid", `there is no entry ${seq}: the audit has ${size}.`);
    const hashes = await storedTree(db).proveInclusion(seq - 1, size);
    const row = await db.selectFrom("audit").select("event").where("seq", "=", seq).executeTakeFirst();
    return { event: row?.event ?? null, proof: formatInclusionProof(seq - 1, hashes, checkpoint) };
  });
}

/**
 * Proves that the audit goes on from its first `since` entries: the body of a request to a witness
 * (c2sp.org/tlog-witness), with the newest checkpoint. A server may be at work.
 * @throws KmsError `option-invalid` for more entries than there are, and as `auditCheckpoint`.
 * @example
 * ```ts
 * import { join } from "node:path";
 * import { createKms, proveAuditGrowth } from "@strongroom/kms";
 *
 * await using kms = await createKms();
 * const rootKey = { kind: "file", path: join(kms.dataDir, "root.key") } as const;
 * const proof = await proveAuditGrowth({ dataDir: kms.dataDir, rootKey, since: 0 });
 * console.log(proof.startsWith("old 0\n\nstrongroom-kms/")); // prints: true
 * ```
 */
export function proveAuditGrowth(options: AuditLogOptions & { readonly since: number }): Promise<string> {
  const { since } = options;
  return reading(options, async ({ db, size, checkpoint }) => {
    if (!Number.isSafeInteger(since) || since < 0 || since > size)
      throw new KmsError("option-invalid", `the audit never had ${since} entries: it has ${size}.`);
    return formatConsistencyProof(since, await storedTree(db).proveConsistency(since, size), checkpoint);
  });
}

function reading<Result>(
  { dataDir, rootKey }: AuditLogOptions,
  read: (state: ReadState) => Promise<Result>,
): Promise<Result> {
  return readingFile(requireDatabase(dataDir), async (db) => {
    const meta = await readMeta(db);
    const stored = meta.get(META.checkpoint);
    if (stored === undefined)
      throw new KmsError("audit-broken", "it has no checkpoint: start the server once, or restore a backup.");
    const key = await publicSide(db, rootKey, meta.get(META.signingKey));
    const { origin, size }: Checkpoint = openCheckpoint(stored, key, "its checkpoint");
    return read({
      db,
      origin,
      size,
      checkpoint: Buffer.from(stored).toString("utf8"),
      key: signerFor(origin, key).vkey,
    });
  });
}

async function publicSide(
  db: Kysely<Schema>,
  source: RootKeySource,
  sealed: Uint8Array | undefined,
): Promise<KeyObject> {
  const sealer = await sealerOf(db, source);
  try {
    const seed = sealer.open(sealed ?? Buffer.alloc(0), SIGNING_KEY);
    if (seed === null) throw new KmsError("root-key-wrong", "the key of the audit log does not open.");
    return signingKeyOf(seed);
  } finally {
    sealer.close();
  }
}
