// What the retirement of a key asks of its KMS, through the ordinary KMS API, so that it is the same on AWS. Each step
// may be repeated, and is believed by what the KMS says afterwards and not by having been asked for.
import { isDeepStrictEqual } from "node:util";
import type { KMS } from "@aws-sdk/client-kms";
import { systemReason } from "@strongroom/base/files";
import { z } from "zod";
import { CliError } from "../errors.ts";
import { DRY_RUN_CONTEXTS } from "../installation/key-permissions.ts";

/** A key, as an operator reaches it and as the service does. */
export interface RetiredKey {
  readonly keyArn: string;
  /** May change the key's policy and disable it. */
  readonly operator: KMS;
  /** Signs as the service: by it is seen what a writer may do still. */
  readonly service: KMS;
}

/** A key's state, as DescribeKey has it. */
export interface KeyState {
  readonly state: string;
  /** ISO 8601, UTC; null: its deletion is not scheduled. */
  readonly deletionAt: string | null;
}

/** When a key was last used for cryptography, in the KMS's own words. */
export interface LastUsage {
  /** Null: never since the KMS began to look. */
  readonly last: {
    readonly operation: string;
    readonly at: string;
    readonly requestId: string | null;
    readonly event: string | null;
  } | null;
  /** Since when the KMS keeps account of it. */
  readonly since: string | null;
}

/** By what the statement is known again in a key's policy. */
const DENIED = "StrongroomRetired";

/** What wraps under a key. Opening stays allowed: whoever needs it still is to be found, and not to be cut off. */
const WRAPPING: readonly string[] = ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncryptTo"];

/** The statement that denies it to everybody. */
export const DENY_STATEMENT: Readonly<Record<string, unknown>> = {
  Sid: DENIED,
  Effect: "Deny",
  Principal: "*",
  Action: WRAPPING,
  Resource: "*",
};

const policySchema = z.looseObject({ Statement: z.array(z.looseObject({ Sid: z.string().optional() })) });

type Policy = z.infer<typeof policySchema>;
type Statements = Policy["Statement"];

const isTheStatement = (found: Statements[number]): boolean => isDeepStrictEqual(found, DENY_STATEMENT);

/**
 * Puts the statement into the key's policy, where it is not there yet.
 *
 * @throws CliError `key-not-retired`
 */
export async function denyWrapping(key: RetiredKey): Promise<void> {
  await changePolicy(key, (found) =>
    // One of that name that says something else was put there by a hand.
    found.some(isTheStatement) ? found : [...found.filter(({ Sid }) => Sid !== DENIED), DENY_STATEMENT],
  );
}

/** Whether the statement is in the key's policy as it was put there. @throws CliError `key-not-retired` */
export function isDenied(key: RetiredKey): Promise<boolean> {
  return asked("GetKeyPolicy", async () => (await policyOf(key)).Statement.some(isTheStatement));
}

/** Takes the statement out again. @throws CliError `key-not-retired` */
export async function allowWrapping(key: RetiredKey): Promise<void> {
  await changePolicy(key, (found) => found.filter(({ Sid }) => Sid !== DENIED));
}

/** A policy that has what it is to have is left as it is. */
async function changePolicy(key: RetiredKey, change: (found: Statements) => Statements): Promise<void> {
  const { operator, keyArn } = key;
  await asked("GetKeyPolicy and PutKeyPolicy", async () => {
    const policy = await policyOf(key);
    const Statement = change(policy.Statement);
    if (isDeepStrictEqual(Statement, policy.Statement)) return;
    const Policy = JSON.stringify({ ...policy, Statement });
    await operator.putKeyPolicy({ KeyId: keyArn, PolicyName: "default", Policy });
  });
}

async function policyOf({ operator, keyArn }: RetiredKey): Promise<Policy> {
  const { Policy = "" } = await operator.getKeyPolicy({ KeyId: keyArn, PolicyName: "default" });
  return policySchema.parse(JSON.parse(Policy));
}

/**
 * What the service's own calls say of wrapping under the key, each a dry run. Under the contexts that the service uses:
 * a policy that allows no others denies any other, and says nothing by that.
 */
export async function wrappingState({ service, keyArn }: RetiredKey): Promise<"allowed" | "denied" | "unknown"> {
  const common = { KeyId: keyArn, DryRun: true };
  const attempts = Object.values(DRY_RUN_CONTEXTS).flatMap((contextOf) => {
    const input = { ...common, EncryptionContext: contextOf(keyArn) };
    return [
      service.encrypt({ ...input, Plaintext: Buffer.alloc(1) }),
      service.generateDataKey({ ...input, NumberOfBytes: 32 }),
    ];
  });
  const ends = await Promise.all(attempts.map(async (attempt) => DENIALS[await nameOf(attempt)] ?? "unknown"));
  if (ends.includes("allowed")) return "allowed";
  return ends.every((end) => end === "denied") ? "denied" : "unknown";
}

/** What a dry run ends with -> what that says. A disabled key wraps nothing either. */
const DENIALS: Readonly<Record<string, "allowed" | "denied">> = {
  DryRunOperationException: "allowed",
  AccessDeniedException: "denied",
  DisabledException: "denied",
  KMSInvalidStateException: "denied",
  NotFoundException: "denied",
};

async function nameOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    return error instanceof Error ? error.name : "";
  }
}

/** @throws CliError `key-not-retired` */
export function lastUsage({ operator, keyArn }: RetiredKey): Promise<LastUsage> {
  return asked("GetKeyLastUsage", async () => {
    const { KeyLastUsage: last, TrackingStartDate } = await operator.getKeyLastUsage({ KeyId: keyArn });
    const since = TrackingStartDate?.toISOString() ?? null;
    if (last?.Timestamp === undefined) return { last: null, since };
    const { Operation: operation = "", Timestamp, KmsRequestId, CloudTrailEventId } = last;
    const at = Timestamp.toISOString();
    return { last: { operation, at, requestId: KmsRequestId ?? null, event: CloudTrailEventId ?? null }, since };
  });
}

/** @throws CliError `key-not-retired` */
export function keyState({ operator, keyArn }: RetiredKey): Promise<KeyState> {
  return asked("DescribeKey", async () => {
    const { KeyMetadata } = await operator.describeKey({ KeyId: keyArn });
    return { state: KeyMetadata?.KeyState ?? "", deletionAt: KeyMetadata?.DeletionDate?.toISOString() ?? null };
  });
}

/** Disables it: EnableKey takes that back. @throws CliError `key-not-retired` */
export async function disable(key: RetiredKey): Promise<KeyState> {
  const { state } = await keyState(key);
  if (state === "Enabled") await asked("DisableKey", () => key.operator.disableKey({ KeyId: key.keyArn }));
  return keyState(key);
}

/** Enables it again, and takes back that it is to be deleted. @throws CliError `key-not-retired` */
export async function enable(key: RetiredKey): Promise<KeyState> {
  const { state } = await keyState(key);
  if (state === "PendingDeletion")
    await asked("CancelKeyDeletion", () => key.operator.cancelKeyDeletion({ KeyId: key.keyArn }));
  if (state === "Disabled" || state === "PendingDeletion")
    await asked("EnableKey", () => key.operator.enableKey({ KeyId: key.keyArn }));
  return keyState(key);
}

/**
 * Schedules its deletion. Until the day comes, CancelKeyDeletion takes it back; then nothing does.
 *
 * @param by whoever may delete keys: the operator of an installation of its own may not
 * @throws CliError `key-not-retired`
 */
export async function scheduleDeletion(key: RetiredKey, by: KMS, days: number): Promise<KeyState> {
  const input = { KeyId: key.keyArn, PendingWindowInDays: days };
  await asked("ScheduleKeyDeletion", () => by.scheduleKeyDeletion(input));
  return keyState(key);
}

async function asked<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    const why = cause instanceof Error && /^\w{1,64}$/.test(cause.name) ? cause.name : systemReason(cause);
    throw new CliError("key-not-retired", { detail: `The KMS refused ${what}: ${why}.`, cause });
  }
}
