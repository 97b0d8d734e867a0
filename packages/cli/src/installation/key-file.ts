// keys.json: which key wraps in which region. Remembered, so that a later start needs no region to answer.
import { readIfPresent, writeFileAtomic } from "@strongroom/base/files";
import { z } from "zod";
import { CliError } from "../errors.ts";

/** Region -> key ARN. */
export type RegionKeys = Readonly<Record<string, string>>;

/** The form this version writes; a higher one was made by a newer version. */
const FORMAT = 1;

const fileSchema = z.object({ format: z.literal(FORMAT), keys: z.record(z.string(), z.string().startsWith("arn:")) });

/** Reads the file; empty where there is none. Throws `data-dir-newer` or `data-dir-unusable`. */
export async function readRegionKeys(path: string): Promise<RegionKeys> {
  const text = await readIfPresent(path);
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
export async function writeRegionKeys(path: string, keys: RegionKeys): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, keys }, null, 2)}\n`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
