/**
 * Witnesses of the audit's log (@strongroom/witness): what remembers its newest checkpoint apart from the three stores,
 * so that all of them set back together are noticed.
 */
import { FileWitness } from "@strongroom/witness/file";
import { ObjectWitness } from "@strongroom/witness/object";
import type { ObjectWitnessOptions } from "@strongroom/witness/object";
import { UrlWitness } from "@strongroom/witness/url";
import type { Witness, WitnessFailures } from "@strongroom/witness/witness";
import { VaultError } from "../errors.ts";

export type { ObjectWitnessOptions } from "@strongroom/witness/object";
export type {
  FoundObject,
  FoundVersions,
  GetObjectInput,
  ListVersionsInput,
  ObjectCallOptions,
  ObjectStoreClient,
  PutObjectInput,
} from "@strongroom/witness/object-store";
export type { Seen, SignedHead, Witness, WitnessedLog } from "@strongroom/witness/witness";

const failures: WitnessFailures = {
  invalid: (detail, cause) => new VaultError("vault-option-invalid", detail, { cause }),
  setBack: (detail, cause) => new VaultError("store-rolled-back", detail, { cause }),
};

/** Where a file is that is a witness. */
export interface FileWitnessPlace {
  /** Of the newest checkpoint, which is replaced whole (0600). */
  readonly path: string;
  /** Folders in which it must not be, links resolved: where the stores are, and what is set back together with them. */
  readonly apartFrom: readonly string[];
  /**
   * `is-made`: its folder is made when it is written (0700). `must-be-there`, when left out: a folder that is not there
   * is a volume that is not mounted, and the witness is away.
   */
  readonly folder?: "must-be-there" | "is-made";
}

/**
 * A witness that is a file on another disk, of another user or on another machine's share.
 *
 * @throws VaultError `vault-option-invalid`: it lies in a folder that it is to be apart from
 * @example
 * ```ts
 * import { fileWitness } from "@strongroom/vault";
 *
 * const witness = fileWitness({ path: "/mnt/other/vault.checkpoint", apartFrom: ["/srv/vault"] });
 * console.log(witness.name); // prints: the witness /mnt/other/vault.checkpoint
 * ```
 */
export const fileWitness = ({ path, apartFrom, folder = "must-be-there" }: FileWitnessPlace): Witness =>
  new FileWitness(path, { apartFrom, folder, failures });

/**
 * A witness that is a service of c2sp.org/tlog-witness, which cosigns checkpoints.
 *
 * @param url http(s)://HOST/PREFIX, and after a `#` its verifier key, which is needed where it is not asked over https
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { urlWitness } from "@strongroom/vault";
 *
 * console.log(urlWitness("https://witness.example/strongroom").name); // prints: the witness witness.example
 * ```
 */
export const urlWitness = (url: string): Witness => new UrlWitness(url, { tellers: "several", failures });

/**
 * A witness that is a bucket with object lock: each checkpoint is an object, which nobody removes for `days`.
 * The client needs `s3:PutObject`, `s3:PutObjectRetention`, `s3:GetObjectVersion`, `s3:GetObjectRetention` and
 * `s3:ListBucketVersions` there.
 *
 * @throws VaultError `vault-option-invalid`
 * @example
 * ```ts
 * import { S3 } from "@aws-sdk/client-s3";
 * import { objectWitness } from "@strongroom/vault";
 *
 * const client = new S3({ region: "eu-central-1", maxAttempts: 1 });
 * const witness = objectWitness({ client, bucket: "checkpoints", prefix: "vaults/", days: 400 });
 * console.log(witness.name); // prints: the witness s3://checkpoints/vaults/
 * ```
 */
export const objectWitness = (options: ObjectWitnessOptions): Witness => new ObjectWitness(options, failures);
