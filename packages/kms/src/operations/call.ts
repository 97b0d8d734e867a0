// One call under way: who calls, when, on which region's state, and the few things that operations do with keys.

import { authorize, identityPoliciesOf, policyOf } from "../access/authorize.ts";
import type { Facts } from "../access/conditions.ts";
import { decide } from "../access/evaluate.ts";
import type { Question } from "../access/evaluate.ts";
import { factsOf } from "../access/facts.ts";
import type { Principal } from "../auth/principals.ts";
import { openBlob, parseBlob, sealBlob } from "../crypto/ciphertext-blob.ts";
import type { CiphertextBlob, EncryptionContext } from "../crypto/ciphertext-blob.ts";
import { backingKeyIdentity } from "../crypto/sealing.ts";
import type { Sealer } from "../crypto/sealing.ts";
import { KmsError } from "../errors.ts";
import { aliasArn, keyArn, parseKeyReference } from "../keys/key-arn.ts";
import { currentBackingKey } from "../keys/key-record.ts";
import type { BackingKey, GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { requireState } from "../keys/key-state.ts";
import type { KeyOperation } from "../keys/key-state.ts";
import type { KeyUsage } from "../keys/key-spec.ts";
import { AwsError, invalidCiphertext, invalidState, notFound } from "../protocol/aws-error.ts";
import type { Change, RegionState } from "../store/region-state.ts";
import type { Store } from "../store/store.ts";

/** What a call is made of. */
export interface CallInit {
  readonly store: Store;
  readonly epoch: number;
  readonly sealer: Sealer;
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly now: number;
  readonly requestId: string;
  readonly eventId: string;
  readonly remoteAddress: string;
}

/** What an operation asks when it looks up a key. */
export interface KeyRequest {
  /** The operation as the state table and the permission name it. */
  readonly operation: KeyOperation;
  /** The permission, if it is not `kms:` and the operation. */
  readonly action?: string;
  /** The encryption context of the request, for grants and policy conditions. */
  readonly context?: EncryptionContext;
  readonly grantTokens?: readonly string[];
}

/** A call of one operation by one principal. */
export class Call {
  readonly store: Store;
  readonly account: string;
  readonly principal: Principal;
  /** Milliseconds. */
  readonly now: number;
  readonly requestId: string;
  readonly eventId: string;
  readonly region: RegionState;
  /** The store's epoch when the call began. */
  readonly epoch: number;
  /** ARNs of the keys that the call touched, for the audit. */
  readonly touched: Set<string> = new Set<string>();
  readonly #sealer: Sealer;
  readonly #remoteAddress: string;
  readonly #changes: Change[] = [];
  #input: Readonly<Record<string, unknown>> = {};

  constructor(init: CallInit) {
    this.store = init.store;
    this.epoch = init.epoch;
    this.#sealer = init.sealer;
    this.account = init.account;
    this.principal = init.principal;
    this.now = init.now;
    this.requestId = init.requestId;
    this.eventId = init.eventId;
    this.region = init.store.region(init.region);
    this.#remoteAddress = init.remoteAddress;
  }

  /** The input once it is read: policy conditions ask about it. */
  set input(input: Readonly<Record<string, unknown>>) {
    this.#input = input;
  }

  /** Changes made so far; they are committed with the audit entry before the answer leaves. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Changes the state. An operation does this last, after everything that can fail and without waiting in between. */
  apply(...changes: Change[]): void {
    if (this.epoch !== this.store.epoch) throw new KmsError("store-failed", "what the call saw was taken back.");
    this.store.apply(changes);
    this.#changes.push(...changes);
  }

  /** A key by id, ARN, alias or alias ARN, that the principal may use so and whose state allows it. */
  useKey(reference: string, request: KeyRequest): KeyRecord {
    return this.admit(this.findKey(reference), request);
  }

  /** As `useKey`, for operations that take no alias. */
  useKeyById(reference: string, request: KeyRequest): KeyRecord {
    return this.admit(this.findKeyById(reference), request);
  }

  /** Checks permission and state of a key that was found. */
  admit(key: KeyRecord, request: KeyRequest): KeyRecord {
    this.permit(key, request.action ?? `kms:${request.operation}`, request.context);
    requireState(key, request.operation);
    return key;
  }

  /** Checks a permission on a key. @throws AwsError AccessDeniedException. */
  permit(key: KeyRecord, action: string, context: EncryptionContext = {}): void {
    this.touched.add(key.arn);
    authorize(this.#question(key, action, context));
  }

  #question(key: KeyRecord, action: string, context: EncryptionContext): Question {
    return {
      principal: this.principal,
      action,
      resource: key.arn,
      keyPolicy: policyOf(key),
      identityPolicies: identityPoliciesOf(this.principal),
      grants: this.grantsOn(key),
      context,
      facts: () => this.#facts(key, context),
    };
  }

  /** The grants on a key. */
  grantsOn(key: KeyRecord): readonly GrantRecord[] {
    return this.region.grants.size === 0
      ? []
      : [...this.region.grants.values()].filter((grant) => grant.keyId === key.keyId);
  }

  /** The grant that an action rests on, if no policy allows it. */
  grantAllowing(key: KeyRecord, action: string): GrantRecord | null {
    const question = this.#question(key, action, {});
    const decision = decide(question);
    return decision.kind === "allow" && decision.by === "grant"
      ? (question.grants.find((grant) => grant.grantId === decision.sid) ?? null)
      : null;
  }

  #facts(key: KeyRecord | null, context: EncryptionContext): Facts {
    const { principal, now } = this;
    const aliases = [...this.region.aliases.values()]
      .filter((alias) => alias.keyId === key?.keyId)
      .map((alias) => alias.name);
    return factsOf({
      principal,
      region: this.region.name,
      now,
      remoteAddress: this.#remoteAddress,
      input: this.#input,
      key,
      aliases,
      context,
    });
  }

  /** Checks a permission that is about no key; `resource` is the ARN of an alias, or everything. */
  admitAccount(action: string, resource = "*"): void {
    const { principal } = this;
    const facts = (): Facts => this.#facts(null, {});
    authorize({
      principal,
      action,
      resource,
      keyPolicy: null,
      identityPolicies: identityPoliciesOf(principal),
      grants: [],
      context: {},
      facts,
    });
  }

  /** The key of an id or ARN. @throws AwsError NotFoundException. */
  findKeyById(reference: string): KeyRecord {
    if (reference.startsWith("alias/")) throw notFound(`Invalid keyId '${reference}'`);
    const parsed = parseKeyReference(reference, this.region.name);
    if (parsed.kind === "alias") throw notFound(`Invalid keyId '${reference}'`);
    return this.#requireKey(parsed.keyId, parsed.account);
  }

  /** The key of an id, ARN, alias or alias ARN. @throws AwsError NotFoundException. */
  findKey(reference: string): KeyRecord {
    const parsed = parseKeyReference(reference, this.region.name);
    if (parsed.kind === "key") return this.#requireKey(parsed.keyId, parsed.account);
    const account = parsed.account ?? this.account;
    const alias = account === this.account ? this.region.aliases.get(parsed.name) : undefined;
    if (alias === undefined) throw notFound(`Alias ${aliasArn(this.region.name, account, parsed.name)} is not found.`);
    return this.#requireKey(alias.keyId, null);
  }

  #requireKey(keyId: string, account: string | null): KeyRecord {
    const owner = account ?? this.account;
    const key = owner === this.account ? this.region.keys.get(keyId) : undefined;
    if (key === undefined) throw notFound(`Key '${keyArn(this.region.name, owner, keyId)}' does not exist`);
    return key;
  }

  /** The records of a multi-Region key in all regions; the key itself alone for any other. */
  relatedKeys(key: KeyRecord): readonly KeyRecord[] {
    if (key.primaryRegion === null) return [key];
    return [...this.store.regions.values()].flatMap((region) => {
      const one = region.keys.get(key.keyId);
      return one === undefined ? [] : [one];
    });
  }

  /** Seals a secret for a backing key of `key`. */
  sealSecret(key: Pick<KeyRecord, "region" | "keyId" | "spec">, materialId: string, secret: Uint8Array): Buffer {
    return this.#sealer.seal(secret, backingKeyIdentity(key, materialId));
  }

  /** Seals a secret that is not a backing key's, under an identity of its own. */
  sealAs(identity: string, secret: Uint8Array): Buffer {
    return this.#sealer.seal(secret, identity);
  }

  /** Opens what `sealAs` made; the caller wipes it. */
  openAs(identity: string, sealed: Uint8Array): Buffer {
    const secret = this.#sealer.open(sealed, identity);
    if (secret === null) throw new KmsError("store-corrupt", `${identity} does not open.`);
    return secret;
  }

  /** Lends a backing key's secret to `use` and wipes it afterwards. */
  withSecret<T>(key: KeyRecord, backing: BackingKey, use: (secret: Buffer) => T): T {
    if (backing.sealed === null) throw invalidState(`${key.arn} is pending import.`);
    const secret = this.openAs(backingKeyIdentity(key, backing.id), backing.sealed);
    let result: T;
    try {
      result = use(secret);
    } catch (error) {
      secret.fill(0);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => secret.fill(0)) as T;
    secret.fill(0);
    return result;
  }

  /** The backing key for new work. */
  currentMaterial(key: KeyRecord): BackingKey {
    const backing = currentBackingKey(key);
    if (backing === null) throw invalidState(`${key.arn} is pending import.`);
    return backing;
  }

  /** The SubjectPublicKeyInfo (DER) of an asymmetric key, a copy. */
  publicKey(key: KeyRecord): Buffer {
    const { publicKey } = this.currentMaterial(key);
    if (publicKey === null) throw new KmsError("store-corrupt", `${key.keyId} has no public key.`);
    return Buffer.from(publicKey);
  }

  /** A ciphertext blob of `plaintext` under the current backing key. */
  seal(key: KeyRecord, plaintext: Uint8Array, context: EncryptionContext): Buffer {
    const backing = this.currentMaterial(key);
    return this.withSecret(key, backing, (secret) =>
      sealBlob({ keyId: key.keyId, materialId: backing.id, secret }, plaintext, context),
    );
  }

  /** The plaintext of a blob of `key`, which the caller wipes, and the backing key that opened it. */
  open(key: KeyRecord, blob: CiphertextBlob, context: EncryptionContext): { plaintext: Buffer; materialId: string } {
    const backing = key.backingKeys.find(({ id, state }) => id === blob.materialId && state !== "pending");
    if (backing === undefined) throw invalidCiphertext();
    const plaintext = this.withSecret(key, backing, (secret) => openBlob(blob, secret, context));
    if (plaintext === null) throw invalidCiphertext();
    return { plaintext, materialId: backing.id };
  }

  /**
   * The key that a blob names, compared with the one that the request names, if it does.
   * @throws AwsError InvalidCiphertextException, IncorrectKeyException, AccessDeniedException.
   */
  keyOfBlob(bytes: Buffer, reference: string | undefined): { key: KeyRecord; blob: CiphertextBlob } {
    const stated = reference === undefined ? null : this.findKey(reference);
    const blob = parseBlob(bytes);
    if (blob === null) throw invalidCiphertext();
    if (stated !== null && stated.keyId !== blob.keyId) {
      throw new AwsError(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
      );
    }
    const key = stated ?? this.region.keys.get(blob.keyId);
    if (key === undefined) {
      // The same answer for a key that is absent and one that is forbidden.
      throw new AwsError(
        "AccessDeniedException",
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or " +
          "you are not allowed to access.",
      );
    }
    return { key, blob };
  }

  /** Notes the use of a key in a cryptographic operation (GetKeyLastUsage). */
  noteUse(key: KeyRecord, operation: string): void {
    const use = { operation, at: this.now, eventId: this.eventId, requestId: this.requestId };
    this.apply({ kind: "put-last-use", region: key.region, keyId: key.keyId, use });
  }
}

/** @throws AwsError InvalidKeyUsageException if the key is not made for this. */
export function requireUsage(key: KeyRecord, usage: KeyUsage, operation: string): void {
  if (key.usage === usage) return;
  throw new AwsError(
    "InvalidKeyUsageException",
    `${key.arn} key usage is ${key.usage} which is not valid for ${operation}.`,
  );
}

/** @throws AwsError InvalidKeyUsageException if the key's spec does not have the algorithm. */
export function requireAlgorithm(key: KeyRecord, algorithm: string, available: readonly string[]): void {
  if (available.includes(algorithm)) return;
  throw new AwsError("InvalidKeyUsageException", `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`);
}

/** Ends a call that was only to be tried. */
export function endDryRun(dryRun: boolean | undefined): void {
  if (dryRun !== true) return;
  throw new AwsError("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.");
}
