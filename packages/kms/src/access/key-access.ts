// From the name in a request to a key that its principal may use so: finding the key, asking for the permission,
// checking the key's state. Source: AWS KMS Developer Guide, "Key identifiers (KeyId)" and "Determining access to AWS
// KMS keys".

import type { Principal } from "../auth/principals.ts";
import { aliasArn, keyArn, parseKeyReference } from "../keys/key-arn.ts";
import type { GrantRecord, KeyRecord } from "../keys/key-record.ts";
import { requireState } from "../keys/key-rules.ts";
import type { KeyOperation } from "../keys/key-rules.ts";
import { AwsError, notFound } from "../protocol/aws-error.ts";
import type { RegionData } from "../store/region-data.ts";
import { factsOf } from "./condition-keys.ts";
import type { RequestDetails } from "./condition-keys.ts";
import { authorize, decide, grantAllows } from "./decision.ts";
import type { Question } from "./decision.ts";
import type { Facts } from "./facts.ts";
import { defaultKeyPolicy, identityPoliciesOf, parsePolicy, policyOf, requireNewPolicy } from "./policy.ts";

/** Who asks, and what else counts for the decision. */
export interface Asker {
  readonly store: { readonly regions: ReadonlyMap<string, RegionData> };
  readonly account: string;
  readonly region: RegionData;
  readonly principal: Principal;
  /** Milliseconds. */
  readonly now: number;
  readonly remoteAddress: string;
  readonly secureTransport: boolean;
  readonly userAgent: string | null;
  /** The input of the operation: policy conditions ask about it. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Is given the ARN of each key whose permission is asked for. */
  readonly touched: Set<string>;
}

/** What an operation asks when it looks up a key; its details are for grants and policy conditions. */
export interface KeyRequest extends RequestDetails {
  /** The operation as the state table and the permission name it. */
  readonly operation: KeyOperation;
  /** The permission, if it is not `kms:` and the operation. */
  readonly action?: string;
  readonly grantTokens?: readonly string[];
}

/** The keys of a region as one call may use them. */
export class KeyAccess {
  readonly #asker: Asker;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /**
   * A key by id, ARN, alias or alias ARN, that the principal may use so and whose state allows it.
   * @throws AwsError NotFoundException, AccessDeniedException, DisabledException, KMSInvalidStateException.
   */
  useKey(reference: string, request: KeyRequest): KeyRecord {
    return this.admit(this.findKey(reference), request);
  }

  /** As `useKey`, for operations that take no alias. */
  useKeyById(reference: string, request: KeyRequest): KeyRecord {
    return this.admit(this.findKeyById(reference), request);
  }

  /** Checks permission and state of a key that was found. @throws AwsError as `useKey`. */
  admit(key: KeyRecord, request: KeyRequest): KeyRecord {
    this.permit(key, request.action ?? `kms:${request.operation}`, request);
    requireState(key, request.operation);
    return key;
  }

  /** Checks a permission on a key. @throws AwsError AccessDeniedException. */
  permit(key: KeyRecord, action: string, details: RequestDetails = {}): void {
    this.#asker.touched.add(key.arn);
    authorize(this.#question(key, action, details));
  }

  /**
   * Checks a permission that is about no key; `resource` is the ARN of an alias, or everything.
   * @throws AwsError AccessDeniedException.
   */
  permitOnAccount(action: string, resource = "*"): void {
    authorize(this.#questionForIdentity(action, resource, null));
  }

  /**
   * Checks the permissions to make `key` in this region: kms:CreateKey, and kms:TagResource if it is made with tags.
   * Policies of the principal alone can give them.
   * @throws AwsError AccessDeniedException.
   */
  permitNewKey(key: KeyRecord): void {
    // Until it is made, the key has no tags and aliases that a condition could see.
    const bare = { ...key, tags: [] };
    authorize(this.#questionForIdentity("kms:CreateKey", "*", bare));
    if (key.tags.length > 0) authorize(this.#questionForIdentity("kms:TagResource", key.arn, bare));
  }

  /**
   * Checks that the principal may retire a grant: its retiring principal, its grantee if the grant itself allows it,
   * the account, or whom a policy of its own allows it. A key policy cannot allow it. Source: AWS KMS Developer Guide,
   * "Retiring and revoking grants".
   * @throws AwsError AccessDeniedException.
   */
  permitRetiring(key: KeyRecord, grant: GrantRecord): void {
    const { principal, account } = this.#asker;
    this.#asker.touched.add(key.arn);
    const question = this.#question(key, "kms:RetireGrant", { constraints: grant.constraints });
    const retires = grant.retiring === principal.arn;
    authorize({
      ...question,
      keyPolicy: [
        ...(question.keyPolicy ?? []).filter((statement) => statement.effect === "Deny"),
        ...parsePolicy(defaultKeyPolicy(account)),
      ],
      grants: [retires ? { ...grant, grantee: principal.arn, operations: ["RetireGrant"], constraints: {} } : grant],
    });
  }

  /** The grants that an action rests on, each enough by itself; null: a policy allows it. */
  grantsAllowing(key: KeyRecord, action: string, details: RequestDetails): readonly GrantRecord[] | null {
    const question = this.#question(key, action, details);
    const decision = decide(question);
    if (decision.kind === "allow" && decision.by !== "grant") return null;
    return decision.kind === "deny" ? [] : question.grants.filter((grant) => grantAllows(grant, question));
  }

  /** The keys of another region, for the same call. */
  inRegion(region: RegionData): KeyAccess {
    const { store, account, principal, now, remoteAddress, secureTransport, userAgent, input, touched } = this.#asker;
    const asker = { store, account, region, principal, now, remoteAddress, secureTransport, userAgent, input, touched };
    return new KeyAccess(asker);
  }

  /**
   * Checks the policy of `key` before it is put there: that it may be one, and that who sets it can change it
   * afterwards, or the key could be managed by nobody. Source: AWS KMS Developer Guide, "Default key policy", on the
   * lockout safety check, which `bypass` leaves out.
   * @throws AwsError MalformedPolicyDocumentException, LimitExceededException.
   */
  requireSafePolicy(key: KeyRecord, { bypass }: { readonly bypass: boolean }): void {
    requireNewPolicy(key.policy);
    if (bypass) return;
    try {
      this.permit(key, "kms:PutKeyPolicy");
    } catch (error) {
      if (!(error instanceof AwsError) || error.type !== "AccessDeniedException") throw error;
      throw new AwsError(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
      );
    }
  }

  /** The key of an id, ARN, alias or alias ARN. @throws AwsError NotFoundException. */
  findKey(reference: string): KeyRecord {
    const { region, account: own } = this.#asker;
    const parsed = parseKeyReference(reference, region.name);
    if (parsed.kind === "key") return this.#requireKey(parsed.keyId, parsed.account);
    const account = parsed.account ?? own;
    const alias = account === own ? region.aliases.get(parsed.name) : undefined;
    if (alias === undefined) throw notFound(`Alias ${aliasArn(region.name, account, parsed.name)} is not found.`);
    return this.#requireKey(alias.keyId, null);
  }

  /** The key of an id or ARN. @throws AwsError NotFoundException. */
  findKeyById(reference: string): KeyRecord {
    if (reference.startsWith("alias/")) throw notFound(`Invalid keyId '${reference}'`);
    const parsed = parseKeyReference(reference, this.#asker.region.name);
    if (parsed.kind === "alias") throw notFound(`Invalid keyId '${reference}'`);
    return this.#requireKey(parsed.keyId, parsed.account);
  }

  #requireKey(keyId: string, account: string | null): KeyRecord {
    const { region, account: own } = this.#asker;
    const owner = account ?? own;
    const key = owner === own ? region.keys.get(keyId) : undefined;
    if (key === undefined) throw notFound(`Key '${keyArn(region.name, owner, keyId)}' does not exist`);
    return key;
  }

  /** The records of a multi-Region key in all regions; the key itself alone for any other. */
  relatedKeys(key: KeyRecord): readonly KeyRecord[] {
    if (key.primaryRegion === null) return [key];
    return [...this.#asker.store.regions.values()].flatMap((region) => {
      const related = region.keys.get(key.keyId);
      return related === undefined ? [] : [related];
    });
  }

  /** The grants on a key. */
  grantsOn(key: KeyRecord): readonly GrantRecord[] {
    const { grants } = this.#asker.region;
    return grants.size === 0 ? [] : [...grants.values()].filter((grant) => grant.keyId === key.keyId);
  }

  #question(key: KeyRecord, action: string, details: RequestDetails): Question {
    const { principal, account } = this.#asker;
    return {
      principal,
      account,
      action,
      resource: key.arn,
      keyPolicy: policyOf(key),
      identityPolicies: identityPoliciesOf(principal),
      grants: this.grantsOn(key),
      context: details.context ?? {},
      facts: () => this.#facts(action, key, details),
    };
  }

  /** A question that only the principal's own policies answer. */
  #questionForIdentity(action: string, resource: string, key: KeyRecord | null): Question {
    const { principal, account } = this.#asker;
    return {
      principal,
      account,
      action,
      resource,
      keyPolicy: null,
      identityPolicies: identityPoliciesOf(principal),
      grants: [],
      context: {},
      facts: () => this.#facts(action, key, {}),
    };
  }

  #facts(action: string, key: KeyRecord | null, details: RequestDetails): Facts {
    const { principal, region, now, remoteAddress, secureTransport, userAgent, input } = this.#asker;
    const aliases = [...region.aliases.values()]
      .filter((alias) => alias.keyId === key?.keyId)
      .map((alias) => alias.name);
    const lastUsedAt = (key && region.lastUses.get(key.keyId)?.at) ?? null;
    const request = { principal, action, region: region.name, now, remoteAddress, secureTransport, userAgent, input };
    return factsOf({ ...request, ...details, key, aliases, lastUsedAt });
  }
}
