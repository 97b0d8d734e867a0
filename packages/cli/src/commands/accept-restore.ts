// The option `--accept-restore` of what starts a service: no setting, so that it holds for one start alone.
import { option } from "@strongroom/base/command";
import type { OptionSpec } from "@strongroom/base/command";
import { z } from "zod";

/** Why stores that were set back are taken as they are. It becomes an entry of the audit, in clear. */
export const ACCEPT_RESTORE: OptionSpec<string | undefined> = option(
  "--accept-restore <reason>",
  "take stores that were set back as they are, and begin a new history of the audit: why, in a few words that tell " +
    "of nobody; what is lost is named in the audit for ever",
  z
    .string()
    .regex(/^[\x20-\x7e]{3,200}$/, "must be 3 to 200 characters of ASCII")
    .optional(),
);
