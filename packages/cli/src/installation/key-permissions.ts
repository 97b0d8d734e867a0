// Whether a client has the permissions that the service needs on a key, asked of the KMS by dry runs. Nothing is
// encrypted or decrypted, and no secret is sent: the plaintext of the dry run is a zero.
import { DescribeKeyCommand, type KMS } from "@aws-sdk/client-kms";
import { parseAddress, parseSubject, parseVersion, versionContext } from "@strongroom/vault";
import type { KeyPurpose } from "./installed-keys.ts";

/** A key, and who is to use it. */
export interface KeyUse {
  readonly client: KMS;
  readonly keyArn: string;
  readonly purpose: KeyPurpose;
  readonly signal: AbortSignal;
}

/** A permission that the KMS denies. */
export interface MissingPermission {
  /** `kms:Decrypt` and its like. */
  readonly action: string;
  /** Whether it is needed under an encryption context. */
  readonly underContext: boolean;
  /** Whether the service does without: by more calls. */
  readonly isOptional: boolean;
}

/** What the dry runs said. */
export interface ProvenPermissions {
  readonly missing: readonly MissingPermission[];
  /** Neither allowed nor denied: the region did not answer, or the key is disabled. */
  readonly unproven: readonly { readonly action: string; readonly reason: string }[];
}

/** The context of a record, and of a key, that nobody has: a policy decides on it as on any other. */
export const DRY_RUN_CONTEXTS: Readonly<Record<KeyPurpose, (keyArn: string) => Record<string, string>>> = {
  records: () => ({
    ...versionContext({
      ...parseAddress({ collection: "doctor", id: "dry-run" }),
      subject: parseSubject("doctor"),
      version: parseVersion(1),
    }),
  }),
  // As a decrypt-only branch key has it.
  keyStore: (keyArn) => ({
    "branch-key-id": "doctor:dry-run",
    "create-time": "2026-01-01T00:00:00.000Z",
    "hierarchy-version": "1",
    "kms-arn": keyArn,
    tablename: "strongroom/doctor",
    type: "branch:version:00000000-0000-4000-8000-000000000000",
  }),
};
const contextOf = ({ purpose, keyArn }: KeyUse): Record<string, string> => DRY_RUN_CONTEXTS[purpose](keyArn);

const DATA_KEY_BYTES = 32;

type Ask = (use: KeyUse) => Promise<unknown>;
const options = ({ signal }: KeyUse): { abortSignal: AbortSignal } => ({ abortSignal: signal });

/** From the key to itself. Two permissions are asked for, that of the source first, and a denial names its own. */
const reEncrypt: Ask = (use) =>
  use.client.reEncrypt(
    {
      SourceKeyId: use.keyArn,
      SourceEncryptionContext: contextOf(use),
      DestinationKeyId: use.keyArn,
      DestinationEncryptionContext: contextOf(use),
      DryRun: true,
      DryRunModifiers: ["IGNORE_CIPHERTEXT"],
    },
    options(use),
  );

interface Proof {
  readonly underContext: boolean;
  readonly ask: Ask;
  readonly isOptional?: true;
}

/** Every permission, and the call that needs it. */
const PROOFS: Readonly<Record<string, Proof>> = {
  "kms:GenerateDataKey": {
    underContext: true,
    ask: (use) =>
      use.client.generateDataKey(
        { KeyId: use.keyArn, NumberOfBytes: DATA_KEY_BYTES, EncryptionContext: contextOf(use), DryRun: true },
        options(use),
      ),
  },
  "kms:Encrypt": {
    underContext: true,
    ask: (use) =>
      use.client.encrypt(
        { KeyId: use.keyArn, Plaintext: Buffer.alloc(1), EncryptionContext: contextOf(use), DryRun: true },
        options(use),
      ),
  },
  "kms:Decrypt": {
    underContext: true,
    ask: (use) =>
      use.client.decrypt(
        { KeyId: use.keyArn, EncryptionContext: contextOf(use), DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] },
        options(use),
      ),
  },
  "kms:ReEncryptFrom": { underContext: true, ask: reEncrypt, isOptional: true },
  "kms:ReEncryptTo": { underContext: true, ask: reEncrypt, isOptional: true },
  // It has no dry run, and changes nothing.
  "kms:DescribeKey": {
    underContext: false,
    ask: (use) => use.client.send(new DescribeKeyCommand({ KeyId: use.keyArn }), options(use)),
  },
};

/** What the service needs on each key. */
export const SERVICE_PERMISSIONS: readonly string[] = Object.keys(PROOFS);

/** Asks for each permission. Never rejects. */
export async function missingPermissions(use: KeyUse): Promise<ProvenPermissions> {
  const missing: MissingPermission[] = [];
  const unproven: { action: string; reason: string }[] = [];
  await Promise.all(
    Object.entries(PROOFS).map(async ([action, { underContext, ask, isOptional = false }]) => {
      const { name, denied } = await endOf(ask(use));
      if (name === "DryRunOperationException" || name === null) return;
      if (name !== "AccessDeniedException" || isBehind(action, denied)) unproven.push({ action, reason: name });
      else if (denied !== "kms:ReEncryptTo" || denied === action) missing.push({ action, underContext, isOptional });
    }),
  );
  const inOrder = (a: { readonly action: string }, b: { readonly action: string }): number =>
    SERVICE_PERMISSIONS.indexOf(a.action) - SERVICE_PERMISSIONS.indexOf(b.action);
  return { missing: missing.toSorted(inOrder), unproven: unproven.toSorted(inOrder) };
}

/** Whether another permission was denied before this one was asked for. */
const isBehind = (action: string, denied: string | null): boolean => action === "kms:ReEncryptTo" && denied !== action;

/** What a call ended with. */
interface End {
  /** Of the error; null: it succeeded. */
  readonly name: string | null;
  /** The action that the error says was denied: "… is not authorized to perform: kms:Decrypt on resource …". */
  readonly denied: string | null;
}

async function endOf(call: Promise<unknown>): Promise<End> {
  try {
    await call;
    return { name: null, denied: null };
  } catch (error) {
    if (!(error instanceof Error) || !/^\w{1,64}$/.test(error.name)) return { name: "unknown", denied: null };
    return { name: error.name, denied: /\bto perform: (kms:\w{1,64})/.exec(error.message)?.[1] ?? null };
  }
}
