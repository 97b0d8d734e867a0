// Which keys wrap in which region: found or made through the ordinary KMS API, one a region for the records and one for
// the key store, each under an alias of its own, and remembered in keys.json, so that a later start needs no region to
// answer. Making them may be interrupted anywhere and run again: the alias says that all is done, and a key that was
// made but got no alias yet is found by its description and taken up.
import type { KMS } from "@aws-sdk/client-kms";
import { writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/** Region -> key ARN. */
export type RegionKeys = Readonly<Record<string, string>>;

/** What keys wrap: the data keys of records, or the keys in the key store, and nothing else. */
export type KeyPurpose = "records" | "keyStore";

/** The keys of an installation. */
export type InstallationKeys = Readonly<Record<KeyPurpose, RegionKeys>>;

/** Shredding generation of the key store's keys that an installation makes. */
export const FIRST_GENERATION = 1;

/** By what a key is known in its region. */
const MARKS: Readonly<Record<KeyPurpose, { readonly alias: string; readonly description: string }>> = {
  records: { alias: "alias/strongroom", description: "Strongroom: wraps the data keys of records" },
  keyStore: {
    alias: `alias/strongroom-keys-${FIRST_GENERATION}`,
    description: `Strongroom: wraps the keys of people and nothing else, generation ${FIRST_GENERATION}`,
  },
};

/** The aliases of the keys, the same in every region. */
export const KEY_ALIASES: Readonly<Record<KeyPurpose, string>> = {
  records: MARKS.records.alias,
  keyStore: MARKS.keyStore.alias,
};

/** The form this version writes; a higher one was made by a newer version. */
const FORMAT = 2;

const regionKeys = z.record(z.string(), z.string().startsWith("arn:"));
const keyStore = z.object({ generation: z.literal(FIRST_GENERATION), keys: regionKeys });
/** Format 1 is from before there was a key store. */
const fileSchema = z.union([
  z.object({ format: z.literal(1), keys: regionKeys }),
  z.object({ format: z.literal(FORMAT), keys: regionKeys, keyStore }),
]);

/** Reads the file; empty where there is none. Throws `data-dir-newer`, `data-dir-unusable` or `file-permissions`. */
export async function readInstallationKeys(path: string): Promise<InstallationKeys> {
  const text = readAuthorityIfPresent(path, "public");
  if (text === null) return { records: {}, keyStore: {} };
  const parsed = fileSchema.safeParse(parse(text));
  if (parsed.success) {
    const { data } = parsed;
    return { records: data.keys, keyStore: "keyStore" in data ? data.keyStore.keys : {} };
  }
  const format = z.object({ format: z.int() }).safeParse(parse(text));
  if (format.success && format.data.format > FORMAT)
    throw new CliError("data-dir-newer", {
      detail: `${path} has format ${format.data.format}; this version knows ${FORMAT}.`,
    });
  throw new CliError("data-dir-unusable", {
    detail: `${path} is damaged.`,
    remedy:
      "Restore it from a backup. It only names keys: for each region, `aws kms describe-key --key-id " +
      `${KEY_ALIASES.records}\` prints the ARN of the one of records, and ${KEY_ALIASES.keyStore} is that of people.`,
  });
}

/** The keys of one purpose. Throws what {@link readInstallationKeys} does. */
export async function readRegionKeys(path: string, purpose: KeyPurpose = "records"): Promise<RegionKeys> {
  return (await readInstallationKeys(path))[purpose];
}

/** Replaces the file. */
async function writeInstallationKeys(path: string, { records, keyStore: keys }: InstallationKeys): Promise<void> {
  const content = { format: FORMAT, keys: records, keyStore: { generation: FIRST_GENERATION, keys } };
  await writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

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
    unknown.map(async ({ region, client }) => ({ region, ...(await findOrMakeKey(client, purpose)) })),
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
): Promise<{ readonly arn: string; readonly made: boolean }> {
  const { alias, description } = MARKS[purpose];
  const aliased = await describe(client, alias);
  if (aliased !== null) return { arn: aliased.arn, made: false };
  const left = await findWithoutAlias(client, description);
  const arn = left ?? (await makeKey(client, description));
  try {
    await client.createAlias({ AliasName: alias, TargetKeyId: arn });
  } catch (error) {
    // Another process was faster: its key is the one.
    if (!isNamed(error, "AlreadyExistsException")) throw error;
    const theirs = await describe(client, alias);
    if (theirs !== null) return { arn: theirs.arn, made: false };
    throw error;
  }
  return { arn, made: left === null };
}

async function makeKey(client: KMS, description: string): Promise<string> {
  const { KeyMetadata } = await client.createKey({ Description: description });
  if (KeyMetadata?.Arn === undefined) throw new Error("CreateKey gave no ARN");
  return KeyMetadata.Arn;
}

/** A key that an interrupted start made and that has no alias yet. */
async function findWithoutAlias(client: KMS, description: string): Promise<string | null> {
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
