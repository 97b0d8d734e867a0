// Gives a rotation up that was begun: the present keys stay. Threat answered: keys that are forgotten while something
// is under them, which nothing reads after the next start.
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { type LeftKey, readInstallationKeys } from "../installation/installed-keys.ts";
import { dropNextKeys } from "../installation/rotate-keys.ts";
import { withVault } from "../installation/with-vault.ts";

/** The keys that were made, and can be retired; none: no rotation is under way. Throws `key-still-needed`. */
export async function giveUpRotation(context: CommandContext, config: Config): Promise<readonly LeftKey[]> {
  const { folder } = await prepareDataFolder(config.dataDir);
  const before = await readInstallationKeys(folder.keys);
  if (before.next === null) return [];
  const staying = new Set([...Object.values(before.records), ...Object.values(before.keyStore)]);
  const made = [...Object.values(before.next.records), ...Object.values(before.next.keyStore)];
  await withVault(context, { config, folder }, async ({ vault }) => {
    for (const arn of made.filter((one) => !staying.has(one))) {
      const { inForce, items, kept, unknown } = await vault.convergence.probe(arn);
      if (inForce.length + items.length + unknown.length > 0 || kept)
        throw new CliError("key-still-needed", {
          detail: `Something is under ${arn}.`,
          remedy: "Go back first: strongroom keys undo. Or go on: strongroom keys rotate.",
        });
    }
  });
  const known = new Set(before.left.map(({ keyArn }) => keyArn));
  return (await dropNextKeys(folder.keys)).left.filter(({ keyArn }) => !known.has(keyArn));
}
