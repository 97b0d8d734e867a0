// The ledger of erasures, written: by `strongroom erasures export`, and beside every backup.
import type { Vault } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { withOutput } from "../input-output.ts";
import { withVault } from "../installation/with-vault.ts";

/** Name of the ledger in a backup. */
export const LEDGER_FILE = "erasures.ndjson";

/** Writes it to a file, or to standard output (`-`). Answers how many lines it has. */
export async function exportErasures(context: CommandContext, config: Config, path: string): Promise<number> {
  const { folder } = await prepareDataFolder(config.dataDir);
  return withVault(context, { config, folder }, ({ vault }) =>
    withOutput(path, context, async (output) => {
      let lines = 0;
      for await (const line of ledgerOf(vault)) {
        await output.write(`${line}\n`);
        lines++;
      }
      return lines;
    }),
  );
}

/** Its lines; none of a vault that erases nobody. */
export async function* ledgerOf({ erasure }: Pick<Vault, "erasure">): AsyncGenerator<string> {
  if (erasure !== null) yield* erasure.ledger();
}
