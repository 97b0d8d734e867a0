// With keys.fourEyes one principal asks for something, and it is done once another one has approved it.
import type { ApprovedAct, Approvals, Vault } from "@strongroom/vault";
import type { Config } from "../config/config.ts";
import { CliError } from "../errors.ts";

/** Who has; null: one alone may do it. Throws `config-invalid`; `approval-missing` of the vault. */
export async function requireApproved(
  { approvals }: Pick<Vault, "approvals">,
  { keys }: Pick<Config, "keys">,
  act: ApprovedAct,
): Promise<Awaited<ReturnType<Approvals["require"]>> | null> {
  if (keys.fourEyes !== true) return null;
  if (approvals === null)
    throw new CliError("config-invalid", { detail: "keys.fourEyes needs an audit, in which principals are known." });
  return approvals.require(act);
}
