// Which keys wrap in which region: found or made through the ordinary KMS API, one a region for the records and one for
// the key store, each under an alias of its own, and remembered in keys.json. Making them may be interrupted anywhere
// and run again: the alias says that all is done, and a key that was made but got no alias yet is found by its
// description and taken up.
import type { KMS } from "@aws-sdk/client-kms";
import { CliError } from "../errors.ts";
import { KEY_ALIASES, keyDescription, readInstallationKeys, writeInstallationKeys } from "./installed-keys.ts";
import type { KeyPurpose, RegionKeys } from "./installed-keys.ts";

/** A region's client. */
export interface RegionClient {
  readonly region: string;
  readonly client: KMS;
}

/** The keys of the regions, the regions where one was made now, and those without: region -> why. */
export interface EnsuredKeys {
  readonly keys: RegionKeys;
  readonly made: readonly string[];
  readonly missing: Readonly<Record<string, string>>;
}

/** Which keys, and how many regions must have one. */
export interface WantedKeys {
  /** Left out: of the records. */
  readonly purpose?: KeyPurpose;
  /** Left out: all. */
  readonly minimum?: number;
}

/**
 * The key ARN of every region: the remembered one, else the alias's, else that of a new key. Remembers them in `path`.
 * A region whose key is not known yet and that does not answer goes without, as long as `minimum` regions have one.
 * Throws `keys-not-ready` when fewer have.
 */
export async function ensureRegionKeys(
  path: string,
  regions: readonly RegionClient[],
  { purpose = "records", minimum = regions.length }: WantedKeys = {},
): Promise<EnsuredKeys> {
  const installed = await readInstallationKeys(path);
  const remembered = installed[purpose];
  const unknown = regions.filter(({ region }) => !Object.hasOwn(remembered, region));
  if (unknown.length === 0) return { keys: remembered, made: [], missing: {} };
  const attempts = await Promise.allSettled(
    unknown.map(async ({ region, client }) => ({ region, ...(await findOrMakeKey(client, purpose, installed.set)) })),
  );
  const found = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const keys = { ...remembered, ...Object.fromEntries(found.map(({ region, arn }) => [region, arn])) };
  if (found.length > 0) await writeInstallationKeys(path, { ...installed, [purpose]: keys });
  const missing = Object.fromEntries(
    attempts.flatMap((attempt, index) =>
      attempt.status === "rejected" ? [[unknown[index]?.region ?? "?", reason(attempt.reason)]] : [],
    ),
  );
  const problems = Object.entries(missing).map(([region, why]) => `${region}: ${why}`);
  if (problems.length > 0 && regions.length - problems.length < minimum)
    throw new CliError("keys-not-ready", { problems });
  return { keys, made: found.filter(({ made }) => made).map(({ region }) => region), missing };
}

async function findOrMakeKey(
  client: KMS,
  purpose: KeyPurpose,
  set: number,
): Promise<{ readonly arn: string; readonly made: boolean }> {
  const [alias, description] = [KEY_ALIASES[purpose], keyDescription(purpose, set)];
  const aliased = await describe(client, alias);
  if (aliased !== null) return { arn: aliased.arn, made: false };
  const { arn, made } = await keyOfDescription(client, description);
  try {
    await client.createAlias({ AliasName: alias, TargetKeyId: arn });
  } catch (error) {
    // Another process was faster: its key is the one.
    if (!isNamed(error, "AlreadyExistsException")) throw error;
    const theirs = await describe(client, alias);
    if (theirs !== null) return { arn: theirs.arn, made: false };
    throw error;
  }
  return { arn, made };
}

/** The key that an interrupted run made under this description; a new one where there is none. */
export async function keyOfDescription(
  client: KMS,
  description: string,
): Promise<{ readonly arn: string; readonly made: boolean }> {
  const left = await findByDescription(client, description);
  return { arn: left ?? (await makeKey(client, description)), made: left === null };
}

async function makeKey(client: KMS, description: string): Promise<string> {
  const { KeyMetadata } = await client.createKey({ Description: description });
  if (KeyMetadata?.Arn === undefined) throw new Error("CreateKey gave no ARN");
  return KeyMetadata.Arn;
}

/** An enabled key that an interrupted start made, and that has no alias yet or is not remembered. */
async function findByDescription(client: KMS, description: string): Promise<string | null> {
  let marker: string | undefined;
  do {
    const page = await client.listKeys({ Limit: 1000, ...(marker === undefined ? {} : { Marker: marker }) });
    for (const { KeyId } of page.Keys ?? []) {
      const key = KeyId === undefined ? null : await describe(client, KeyId);
      if (key?.description === description && key.state === "Enabled") return key.arn;
    }
    marker = page.Truncated === true ? page.NextMarker : undefined;
  } while (marker !== undefined);
  return null;
}

/** A key as its region describes it; null: there is none. */
export async function describe(
  client: KMS,
  keyId: string,
): Promise<{ readonly arn: string; readonly description: string; readonly state: string } | null> {
  try {
    const { KeyMetadata } = await client.describeKey({ KeyId: keyId });
    if (KeyMetadata?.Arn === undefined) throw new Error("DescribeKey gave no ARN");
    return { arn: KeyMetadata.Arn, description: KeyMetadata.Description ?? "", state: KeyMetadata.KeyState ?? "" };
  } catch (error) {
    if (isNamed(error, "NotFoundException")) return null;
    throw error;
  }
}

/** Whether an error is the one that the service calls so. */
export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** What a region said, in short: the service's error name, or the system's code. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  return code === "ECONNREFUSED" || code === "ENOENT" ? "nothing listens there" : (code ?? error.name);
}
