// With keys.fourEyes a shred is begun by one principal, and was approved by another one.
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { requireApproved } from "../installation/approved.ts";
import { withVault } from "../installation/with-vault.ts";

/** What is asked for and approved: `strongroom approvals request key-store --action shred`. */
export const SHRED_ACT = { action: "shred", target: "key-store" } as const;

/** Throws `config-invalid`; `approval-missing` of the vault. */
export async function requireShredApproved(context: CommandContext, config: Config): Promise<void> {
  if (config.keys.fourEyes !== true) return;
  const { folder } = await prepareDataFolder(config.dataDir);
  await withVault(context, { config, folder }, ({ vault }) => requireApproved(vault, config, SHRED_ACT));
}
