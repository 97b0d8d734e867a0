// The options of `strongroom keys plan` and `keys apply`: how a run is to be made, as a person writes it.
import { given, oneOf, wholeNumber } from "@strongroom/base/command";
import type { OptionSpec } from "@strongroom/base/command";
import type { ConvergeOptions } from "@strongroom/client";
import { z } from "zod";
import { option } from "../../command.ts";
import { CliError } from "../../errors.ts";

const SHARE_WORDS: Readonly<Record<string, number>> = { all: 1, none: 0 };
const SHARE_MESSAGE = "must be all, none or a share from 0 to 1, such as 0.1";

const verify: z.ZodType<number | undefined> = z
  .string()
  .regex(/^(?:all|none|0?\.\d{1,6}|[01](?:\.0{1,6})?|0\.\d{1,6})$/, SHARE_MESSAGE)
  .transform((text) => SHARE_WORDS[text] ?? Number(text))
  .optional();

const share: z.ZodType<number | undefined> = z
  .string()
  .regex(/^(?:0?\.\d{1,6}|1(?:\.0{1,6})?)$/, "must be a share above 0 and up to 1, such as 0.1")
  .transform(Number)
  .refine((value) => value > 0, "must be a share above 0 and up to 1, such as 0.1")
  .optional();

/** What a person gave of it. */
export interface RunValues {
  readonly verify: number | undefined;
  readonly keepOld: boolean;
  readonly rate: number | undefined;
  readonly quota: number | undefined;
  readonly share: number | undefined;
  readonly material: ConvergeOptions["material"];
  readonly fresh: boolean;
  readonly scopes: boolean;
}

/** What `keys plan` and `keys apply` have alike. */
export const RUN_OPTIONS: Readonly<{ [Name in keyof RunValues]: OptionSpec<RunValues[Name]> }> = {
  verify: option(
    "--verify <share>",
    "new wraps that their own key opens before they count: all, none, or a share such as 0.1 (default: all)",
    verify,
  ),
  keepOld: option("--keep-old", "stop before old wraps are dropped: until then keys undo goes back", given()),
  rate: option(
    "--rate <n>",
    "KMS calls a second and region, of all processes together (default: 100)",
    wholeNumber(1, 1_000_000),
  ),
  quota: option("--quota <n>", "what the KMS allows a second and region; with --share", wholeNumber(1, 1_000_000)),
  share: option("--share <share>", "in the place of --rate: so much of --quota, such as 0.1", share),
  material: option(
    "--material <which>",
    "current: replace wraps under older material too, after the KMS rotated a key by itself (default: any)",
    oneOf(["any", "current"]),
  ),
  fresh: option("--fresh", "seal every record anew under a fresh data key", given()),
  scopes: option(
    "--no-scopes",
    "leave records in the scope that they are in, whatever their collection declares",
    z.boolean().default(true),
  ),
};

/** Those that were given; what was not is the service's to choose. @throws CliError `usage` */
export function runOptionsOf(values: RunValues): ConvergeOptions {
  const { keepOld, material, fresh, scopes, verify: proven } = values;
  const rate = rateOf(values);
  return {
    ...(proven === undefined ? {} : { verify: proven }),
    ...(rate === undefined ? {} : { rate }),
    ...(material === undefined ? {} : { material }),
    ...(keepOld ? { keepOld } : {}),
    ...(fresh ? { fresh } : {}),
    ...(scopes ? {} : { scopes }),
  };
}

function rateOf({ rate, quota, share: part }: RunValues): number | undefined {
  if (rate !== undefined && (quota !== undefined || part !== undefined))
    throw new CliError("usage", { detail: "--rate and --quota with --share exclude each other." });
  if (quota === undefined && part === undefined) return rate;
  if (quota === undefined || part === undefined)
    throw new CliError("usage", {
      detail: `${part === undefined ? "--quota" : "--share"} is given without ${part === undefined ? "--share" : "--quota"}.`,
      remedy: "For example: --quota 10000 --share 0.1, a tenth of what the KMS allows in each region.",
    });
  return quota * part;
}
