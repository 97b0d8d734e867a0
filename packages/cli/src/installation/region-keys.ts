// Which key wraps in which region: found or made through the ordinary KMS API, one a region, under the alias
// alias/strongroom, and remembered in keys.json, so that a later start needs no region to answer. Making them may be
// interrupted anywhere and run again: the alias says that all is done, and a key that was made but got no alias yet is
// found by its description and taken up.
import type { KMS } from "@aws-sdk/client-kms";
import { writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/** Region -> key ARN. */
export type RegionKeys = Readonly<Record<string, string>>;

/** The form this version writes; a higher one was made by a newer version. */
const FORMAT = 1;

const fileSchema = z.object({ format: z.literal(FORMAT), keys: z.record(z.string(), z.string().startsWith("arn:")) });

/** Reads the file; empty where there is none. Throws `data-dir-newer`, `data-dir-unusable` or `file-permissions`. */
export async function readRegionKeys(path: string): Promise<RegionKeys> {
  const text = readAuthorityIfPresent(path, "public");
  if (text === null) return {};
  const parsed = fileSchema.safeParse(parse(text));
  if (parsed.success) return parsed.data.keys;
  const format = z.object({ format: z.int() }).safeParse(parse(text));
  if (format.success && format.data.format > FORMAT)
    throw new CliError("data-dir-newer", {
      detail: `${path} has format ${format.data.format}; this version knows ${FORMAT}.`,
    });
  throw new CliError("data-dir-unusable", {
    detail: `${path} is damaged.`,
    remedy:
      "Restore it from a backup. It only names keys: for each region, `aws kms describe-key --key-id " +
      "alias/strongroom` prints the ARN.",
  });
}

/** Replaces the file. */
async function writeRegionKeys(path: string, keys: RegionKeys): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, keys }, null, 2)}\n`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The alias of the key in every region. */
export const KEY_ALIAS = "alias/strongroom";
const DESCRIPTION = "Strongroom: wraps the data keys of records";

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

/**
 * The key ARN of every region: the remembered one, else the alias's, else that of a new key. Remembers them in `path`.
 * A region whose key is not known yet and that does not answer goes without, as long as `minimum` regions have one.
 * Throws `keys-not-ready` when fewer have.
 */
export async function ensureRegionKeys(
  path: string,
  regions: readonly RegionClient[],
  minimum: number = regions.length,
): Promise<EnsuredKeys> {
  const remembered = await readRegionKeys(path);
  const unknown = regions.filter(({ region }) => !Object.hasOwn(remembered, region));
  if (unknown.length === 0) return { keys: remembered, made: [], missing: {} };
  const attempts = await Promise.allSettled(
    unknown.map(async ({ region, client }) => ({ region, ...(await findOrMakeKey(client)) })),
  );
  const found = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const keys = { ...remembered, ...Object.fromEntries(found.map(({ region, arn }) => [region, arn])) };
  if (found.length > 0) await writeRegionKeys(path, keys);
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

async function findOrMakeKey(client: KMS): Promise<{ readonly arn: string; readonly made: boolean }> {
  const aliased = await describe(client, KEY_ALIAS);
  if (aliased !== null) return { arn: aliased.arn, made: false };
  const left = await findWithoutAlias(client);
  const arn = left ?? (await makeKey(client));
  try {
    await client.createAlias({ AliasName: KEY_ALIAS, TargetKeyId: arn });
  } catch (error) {
    // Another process was faster: its key is the one.
    if (!isNamed(error, "AlreadyExistsException")) throw error;
    const theirs = await describe(client, KEY_ALIAS);
    if (theirs !== null) return { arn: theirs.arn, made: false };
    throw error;
  }
  return { arn, made: left === null };
}

async function makeKey(client: KMS): Promise<string> {
  const { KeyMetadata } = await client.createKey({ Description: DESCRIPTION });
  if (KeyMetadata?.Arn === undefined) throw new Error("CreateKey gave no ARN");
  return KeyMetadata.Arn;
}

/** A key that an interrupted start made and that has no alias yet. */
async function findWithoutAlias(client: KMS): Promise<string | null> {
  let marker: string | undefined;
  do {
    const page = await client.listKeys({ Limit: 1000, ...(marker === undefined ? {} : { Marker: marker }) });
    for (const { KeyId } of page.Keys ?? []) {
      const key = KeyId === undefined ? null : await describe(client, KeyId);
      if (key?.description === DESCRIPTION && key.state === "Enabled") return key.arn;
    }
    marker = page.Truncated === true ? page.NextMarker : undefined;
  } while (marker !== undefined);
  return null;
}

async function describe(
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

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** What a region said, in short: the service's error name, or the system's code. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  return code === "ECONNREFUSED" || code === "ENOENT" ? "nothing listens there" : (code ?? error.name);
}
