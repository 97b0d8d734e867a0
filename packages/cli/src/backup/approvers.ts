// With keys.fourEyes two principals restore a backup. No vault runs then that could keep an approval, so both show a
// token, and the backup itself has by whom that may be done. Threat answered: one administrator who sets a vault back
// to what it was, alone and by no name.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemReason } from "@strongroom/base/files";
import { type Approver, findApprover, SERVER_ERRORS } from "@strongroom/server";
import { VAULT_ERRORS } from "@strongroom/vault";
import { z } from "zod";
import type { CommandContext } from "../command.ts";
import type { LoadedConfig } from "../config/load.ts";
import { findToken, tokenIn } from "../connection.ts";
import { CliError } from "../errors.ts";
import type { CheckedBackup } from "./check-backup.ts";
import { altered } from "./manifest.ts";

/** Its name in a backup. */
export const APPROVERS_FILE = "approvers.json";

/** Said where a backup is made that no two can restore. */
export const TOO_FEW_APPROVERS =
  "There are no two tokens with the scope admin under two names: with keys.fourEyes nobody can restore this backup.";

/** The tokens of the two, never printed. */
export interface TwoTokens {
  readonly first: string;
  readonly second: string;
}

const approversSchema: z.ZodType<readonly Approver[]> = z.array(
  z.strictObject({
    principal: z.string().regex(/^token:[A-Za-z0-9._:@/+=-]{1,122}$/),
    holder: z.int().min(0),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);

/** As a backup has it. */
export const approversText = (approvers: readonly Approver[]): string => `${JSON.stringify(approvers, null, 2)}\n`;

/**
 * The tokens that were given; null: none is needed, and no second one was given.
 *
 * @throws CliError `approval-missing`; `token-missing`, `file-permissions`, `input-unreadable`
 */
export function twoTokens(
  { loaded, context: { cwd, env } }: { readonly loaded: LoadedConfig; readonly context: CommandContext },
  files: { readonly tokenFile?: string | undefined; readonly secondTokenFile?: string | undefined },
): TwoTokens | null {
  const { tokenFile, secondTokenFile } = files;
  if (secondTokenFile === undefined) {
    if (loaded.config.keys.fourEyes !== true) return null;
    throw refused("approval-missing", {
      detail: "With keys.fourEyes two administrators restore a backup, and no second token was given.",
      remedy: "Give the files of two tokens with the scope admin: --token-file FILE --second-token-file FILE.",
    });
  }
  const first = tokenFile === undefined ? findToken(loaded, env) : tokenIn(resolve(cwd, tokenFile));
  return { first, second: tokenIn(resolve(cwd, secondTokenFile)) };
}

/**
 * The principals of two tokens that the vault had when it was backed up.
 *
 * @throws CliError `approval-missing`: the backup does not have by whom; `approval-own`; `token-invalid`;
 *   `backup-altered`
 */
export function requireTwo(checked: CheckedBackup, { first, second }: TwoTokens): readonly [string, string] {
  const approvers = readApprovers(checked);
  const one = approverOf(approvers, first, "first");
  const other = approverOf(approvers, second, "second");
  if (one.holder === other.holder)
    throw refused("approval-own", {
      detail:
        one.principal === other.principal
          ? "Both tokens are the same one."
          : `The tokens ${one.principal} and ${other.principal} have the same name: they are taken for one person's.`,
      remedy: "Have another administrator give a token of their own: --second-token-file FILE.",
    });
  return [one.principal, other.principal];
}

/** What is read is held against the manifest: the file may have changed since it was checked. */
function readApprovers({ path, manifest }: CheckedBackup): readonly Approver[] {
  const file = manifest.files.find(({ content }) => content === "approvers");
  if (file === undefined)
    throw refused("approval-missing", {
      detail: "The backup does not have by whom its restore is approved: it was made without keys.fourEyes.",
      remedy:
        "Use a backup that was made with keys.fourEyes. Or restore this one without keys.fourEyes and without " +
        "--second-token-file: the audit then names nobody who approved it.",
    });
  try {
    const bytes = readFileSync(join(path, file.name));
    if (createHash("sha256").update(bytes).digest("hex") !== file.sha256)
      throw altered(`${file.name} changed while it was read`);
    return approversSchema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (cause instanceof SyntaxError || cause instanceof z.ZodError)
      throw altered(`${file.name} is not what this version writes`);
    throw new CliError("input-unreadable", { detail: `${join(path, file.name)}: ${systemReason(cause)}.`, cause });
  }
}

function approverOf(approvers: readonly Approver[], token: string, which: "first" | "second"): Approver {
  const found = findApprover(approvers, token);
  if (found !== null) return found;
  throw refused("token-invalid", {
    detail: `When the backup was made, the vault had no such token with the scope admin as the ${which} one.`,
    remedy:
      "Use a token that an administrator had then, revoked since or not. Look for missing characters at its end. " +
      "Nothing is left in the target.",
  });
}

function refused(
  code: "approval-missing" | "approval-own" | "token-invalid",
  { detail, remedy }: { readonly detail: string; readonly remedy: string },
): CliError {
  const { title, outcome } = code === "token-invalid" ? SERVER_ERRORS[code] : VAULT_ERRORS[code];
  return new CliError("restore-refused", { title, detail, remedy, outcome, reportedCode: code });
}
