// What the server knows of a key, an alias and a grant. Records are immutable: a change makes a new one.

import { AwsError } from "../protocol/aws-error.ts";
import type { KeySpec, KeyUsage } from "./key-spec.ts";

/** One backing key: the material that a key had or has. Its secret is sealed under the root key. */
export interface BackingKey {
  /** 64 hexadecimal digits: AWS's KeyMaterialId. */
  readonly id: string;
  readonly createdAt: number;
  /** The sealed secret: 32 bytes and the like, or a PKCS #8 key. Null once deleted or expired. */
  readonly sealed: Uint8Array | null;
  /** SubjectPublicKeyInfo (DER) of an asymmetric key; null for a symmetric one. */
  readonly publicKey: Uint8Array | null;
  /** `pending`: imported, waiting for RotateKeyOnDemand. */
  readonly state: "current" | "former" | "pending";
  /** How it became the current one; null for the first. */
  readonly rotation: { readonly kind: "AUTOMATIC" | "ON_DEMAND"; readonly at: number } | null;
  /** What came with an import; null for material made here. */
  readonly imported: { readonly validTo: number | null; readonly description: string | null } | null;
}

/** A key in one region. */
export interface KeyRecord {
  readonly region: string;
  /** A UUID, or `mrk-` and 32 hexadecimal digits. */
  readonly keyId: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly description: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly origin: "AWS_KMS" | "EXTERNAL";
  /** `AWS` for the key of a service (managed-keys.ts); absent for a customer's. */
  readonly manager?: "AWS";
  /** What EnableKey and DisableKey set; the state that clients see is derived (key-rules.ts). */
  readonly enabled: boolean;
  readonly deletion: { readonly at: number; readonly windowDays: number; readonly waitsForReplicas: boolean } | null;
  readonly policy: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** The region of the primary key; null for a single-Region key. */
  readonly primaryRegion: string | null;
  readonly automaticRotation: { readonly periodDays: number; readonly nextAt: number } | null;
  /** Oldest first; exactly one is `current`, unless the key never had material. */
  readonly backingKeys: readonly BackingKey[];
}

/** A friendly name for a key. */
export interface AliasRecord {
  readonly region: string;
  /** With the prefix `alias/`. */
  readonly name: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A grant: what a principal may do with one key. */
export interface GrantRecord {
  readonly region: string;
  readonly grantId: string;
  readonly keyId: string;
  readonly token: string;
  readonly name: string | null;
  readonly createdAt: number;
  readonly grantee: string;
  readonly retiring: string | null;
  readonly issuingAccount: string;
  readonly operations: readonly string[];
  readonly constraints: {
    readonly subset?: Readonly<Record<string, string>>;
    readonly equals?: Readonly<Record<string, string>>;
    readonly sourceArn?: string;
  };
}

/** The wrapping key pair that GetParametersForImport handed out. */
export interface ImportWrappingKey {
  readonly region: string;
  readonly keyId: string;
  /** What the import token holds. */
  readonly tokenId: string;
  readonly algorithm: string;
  readonly validTo: number;
  /** The RSA private key (PKCS #8), sealed. */
  readonly sealed: Uint8Array;
}

/** The last use of a key in a cryptographic operation. */
export interface LastUse {
  readonly operation: string;
  readonly at: number;
  readonly eventId: string;
  readonly requestId: string;
}

/** The backing key that new ciphertexts are made under; null while the key has none that can be used. */
export const currentBackingKey = (key: KeyRecord): BackingKey | null =>
  key.backingKeys.find((backing) => backing.state === "current") ?? null;

type Tags = KeyRecord["tags"];

const MAX_TAGS = 50;

/**
 * The tags of a key after `added` are put on it: a tag with a known key takes the new value.
 * @throws AwsError TagException.
 */
export function newTags(present: Tags, added: readonly { readonly TagKey: string; readonly TagValue: string }[]): Tags {
  const keys = added.map((tag) => tag.TagKey);
  if (new Set(keys).size < keys.length) throw new AwsError("TagException", "Duplicate tag keys");
  if (keys.some((key) => key.toLowerCase().startsWith("aws:")))
    throw new AwsError("TagException", "Tags beginning with aws: are reserved");
  const tags = [
    ...present.filter((tag) => !keys.includes(tag.key)),
    ...added.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue })),
  ];
  if (tags.length > MAX_TAGS) throw new AwsError("TagException", "Too many tags");
  return tags;
}
