// Options about the audit that several commands have: moments, and why something is done.
import { option, type OptionSpec, text } from "@strongroom/base/command";
import { z } from "zod";

const AGO = /^(\d{1,6})(m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as the service takes it, or absent: a day, a time in UTC or with an offset, or so long ago. */
export function moment(): z.ZodType<string | undefined> {
  return z
    .string()
    .transform((given, context) => {
      const [, count, unit = ""] = AGO.exec(given) ?? [];
      if (count !== undefined) return new Date(Date.now() - Number(count) * (UNIT_MS[unit] ?? 0)).toISOString();
      const parsed = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(given);
      const at = parsed.success ? Date.parse(given) : Number.NaN;
      if (!Number.isNaN(at)) return new Date(at).toISOString();
      context.addIssue("must be a day, a time such as 2026-03-04T05:06:07Z, or so long ago: 90m, 24h, 7d");
      return z.NEVER;
    })
    .optional();
}

/** Why, as a code: a text of another form might tell of a person. */
export const CODE: z.ZodType<string | undefined> = z
  .string()
  .regex(/^[a-z0-9.-]{1,64}$/, "must be 1 to 64 characters of a-z 0-9 . -")
  .optional();
const TICKET = z
  .string()
  .regex(/^[A-Za-z0-9._#/-]{1,64}$/, "must be 1 to 64 characters of A-Z a-z 0-9 . _ # / -")
  .optional();

/** Why records are read or written. */
export const WHY_OPTIONS: Readonly<{
  purpose: OptionSpec<string | undefined>;
  ticket: OptionSpec<string | undefined>;
}> = {
  purpose: option("--purpose <code>", "why, as a code: the audit has it; a collection may want one", CODE),
  ticket: option("--ticket <id>", "what it is done for, in another system; the audit has it sealed", TICKET),
};

/** Whose the person is that a command is about. */
export const TENANT_OPTION: OptionSpec<string | undefined> = option(
  "--tenant <name>",
  "whose person it is (default: default)",
  text(),
);
