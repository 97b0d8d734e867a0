// A command's work with the vault of an installation: its keys and its stores are opened as one process more, and
// closed after it.
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import type { DataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { requireBelonging, seenStores } from "../store/pair.ts";
import { type CommandKeys, openCommandKeys } from "./command-keys.ts";
import { type CommandVault, openCommandVault } from "./command-vault.ts";
import { vaultSaid } from "./vault-said.ts";
import { openWitnesses } from "./witnesses.ts";

/** Whose vault it is. */
export interface VaultPlace {
  readonly config: Config;
  readonly folder: DataFolder;
}

/**
 * Opens the vault, does the work, and closes it whatever comes of that.
 *
 * @throws CliError `config-invalid`: there is none; what opening keys and stores throws; what the vault refuses
 */
export async function withVault<Result>(
  context: Pick<CommandContext, "env" | "signal">,
  place: VaultPlace,
  work: (opened: CommandVault, keys: CommandKeys) => Promise<Result>,
): Promise<Result> {
  try {
    return await opened(context, place, work);
  } catch (cause) {
    throw vaultSaid(cause);
  }
}

async function opened<Result>(
  { env, signal }: Pick<CommandContext, "env" | "signal">,
  { config, folder }: VaultPlace,
  work: (opened: CommandVault, keys: CommandKeys) => Promise<Result>,
): Promise<Result> {
  const parts = { config, folder, env };
  await requireBelonging(parts);
  const { records } = await seenStores(parts);
  if (typeof records === "string")
    throw new CliError("config-invalid", {
      detail: `There is no vault in ${folder.path} yet.`,
      remedy: "Name the data folder of the vault (--data-dir DIR), or start it: strongroom up.",
    });
  const { rootKey, witness: kmsWitness } = config.kms;
  const keys = await openCommandKeys({ config, folder, signal, rootKey, kmsWitness });
  try {
    const witnesses = await openWitnesses(config, records.vault, env);
    const vault = await openCommandVault({ ...parts, keySets: keys.keySets, witnesses });
    try {
      return await work(vault, keys);
    } finally {
      await vault.close();
    }
  } finally {
    await keys.close();
  }
}
