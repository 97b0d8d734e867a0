// What a vault that a command has opened refuses, as an error of the command: with the title, the remedy and the exit
// code that the vault's own table has for it.
import { isVaultError, VAULT_ERRORS } from "@strongroom/vault";
import { CliError } from "../errors.ts";

/** Anything else is given as it is. */
export function vaultSaid(cause: unknown): unknown {
  if (!isVaultError(cause)) return cause;
  const { code, message: detail } = cause;
  if (code === "aborted") return new CliError("interrupted", { cause });
  const { title, remedy, outcome } = VAULT_ERRORS[code];
  return new CliError("startup-failed", { title, detail, remedy, outcome, reportedCode: code, cause });
}
