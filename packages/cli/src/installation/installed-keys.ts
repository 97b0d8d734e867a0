// keys.json: which keys an installation has, so that a later start needs no region to answer; those that are to come
// next, while a rotation is under way; and those that were left, until they are retired. It only names keys.
import { writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";
import { readAuthorityIfPresent } from "../authority.ts";
import { CliError } from "../errors.ts";

/** Region -> key ARN. */
export type RegionKeys = Readonly<Record<string, string>>;

/** What keys wrap: the data keys of records, or the keys in the key store, and nothing else. */
export type KeyPurpose = "records" | "keyStore";

/** Both, in one order. */
export const KEY_PURPOSES: readonly KeyPurpose[] = ["records", "keyStore"];

/** The keys of both purposes. */
export type PurposeKeys = Readonly<Record<KeyPurpose, RegionKeys>>;

/** Whether a region has another key than it had. */
export const isOtherKeys = (next: RegionKeys, present: RegionKeys): boolean =>
  Object.entries(next).some(([region, arn]) => present[region] !== arn);

/** A key that nothing is wrapped under any more. */
export interface LeftKey {
  readonly purpose: KeyPurpose;
  readonly region: string;
  readonly keyArn: string;
}

/** The keys of an installation. */
export interface InstallationKeys extends PurposeKeys {
  /** Counts the key sets, from 1. */
  readonly set: number;
  /** Shredding generation of the key store's keys. */
  readonly generation: number;
  /** That of the next set; where none is to come, and where it rotates within the generation, the same. */
  readonly nextGeneration: number;
  /** Those of the next set; null: no rotation is under way. A purpose that is not rotated has its present keys here. */
  readonly next: PurposeKeys | null;
  readonly left: readonly LeftKey[];
}

/** Of a folder without keys. */
export const NO_KEYS: InstallationKeys = {
  ...{ records: {}, keyStore: {}, set: 1, next: null, left: [] },
  ...{ generation: 1, nextGeneration: 1 },
};

/** Shredding generation of the key store's keys that an installation makes first. */
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

/** The description of a key of a set: by it one is found that was made by a start which was interrupted then. */
export function keyDescription(purpose: KeyPurpose, set: number, generation: number = FIRST_GENERATION): string {
  const { description: first } = MARKS[purpose];
  const isLater = purpose === "keyStore" && generation !== FIRST_GENERATION;
  const description = isLater ? first.replace(`generation ${FIRST_GENERATION}`, `generation ${generation}`) : first;
  return set === 1 ? description : `${description}, key set ${set}`;
}

/** The form this version writes; a higher one was made by a newer version. */
const FORMAT = 4;
/** Of an installation that has not left its first generation. */
const ROTATED = 3;

const regionKeys = z.record(z.string(), z.string().startsWith("arn:"));
const keyStore = z.object({ generation: z.literal(FIRST_GENERATION), keys: regionKeys });
const next = z.object({ keys: regionKeys, keyStore: regionKeys });
const left = z.object({ purpose: z.enum(["records", "keyStore"]), region: z.string(), keyArn: z.string() });
/** Format 1 is from before there was a key store, 2 from before keys were rotated, 3 from before they were shredded. */
const fileSchema = z.union([
  z.object({ format: z.literal(1), keys: regionKeys }),
  z.object({ format: z.literal(2), keys: regionKeys, keyStore }),
  z.object({
    format: z.literal(ROTATED),
    keys: regionKeys,
    keyStore,
    set: z.int().min(1),
    next: next.nullable(),
    left: z.array(left),
  }),
  z.object({
    format: z.literal(FORMAT),
    keys: regionKeys,
    keyStore: z.object({ generation: z.int().min(1), next: z.int().min(1), keys: regionKeys }),
    set: z.int().min(1),
    next: next.nullable(),
    left: z.array(left),
  }),
]);

/** Reads the file; empty where there is none. Throws `data-dir-newer`, `data-dir-unusable` or `file-permissions`. */
export async function readInstallationKeys(path: string): Promise<InstallationKeys> {
  const text = readAuthorityIfPresent(path, "public");
  if (text === null) return NO_KEYS;
  const parsed = fileSchema.safeParse(parse(text));
  if (parsed.success) return keysIn(parsed.data);
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

function keysIn(file: z.infer<typeof fileSchema>): InstallationKeys {
  const records = file.keys;
  if (file.format === 1) return { ...NO_KEYS, records };
  const ofPeople = file.keyStore.keys;
  if (file.format === 2) return { ...NO_KEYS, records, keyStore: ofPeople };
  const following = file.next === null ? null : { records: file.next.keys, keyStore: file.next.keyStore };
  const { generation } = file.keyStore;
  const nextGeneration = file.format === FORMAT ? file.keyStore.next : generation;
  return { records, keyStore: ofPeople, set: file.set, next: following, left: file.left, generation, nextGeneration };
}

/** Replaces the file. Of keys that were never rotated in the form of before, which knows nothing else. */
export async function writeInstallationKeys(path: string, keys: InstallationKeys): Promise<void> {
  const { records, keyStore: ofPeople, set, next: following, left: gone, generation, nextGeneration } = keys;
  const isLater = Math.max(generation, nextGeneration) > FIRST_GENERATION;
  const ofGeneration = isLater ? { generation, next: nextGeneration } : { generation };
  const present = { keys: records, keyStore: { ...ofGeneration, keys: ofPeople } };
  const rotated = {
    set,
    next: following === null ? null : { keys: following.records, keyStore: following.keyStore },
    left: gone,
  };
  const wasRotated = isLater || set > 1 || following !== null || gone.length > 0;
  const content = wasRotated
    ? { format: isLater ? FORMAT : ROTATED, ...present, ...rotated }
    : { format: 2, ...present };
  await writeFileAtomic(path, `${JSON.stringify(content, null, 2)}\n`);
}

/** The keys of one purpose. Throws what {@link readInstallationKeys} does. */
export async function readRegionKeys(path: string, purpose: KeyPurpose = "records"): Promise<RegionKeys> {
  return (await readInstallationKeys(path))[purpose];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
