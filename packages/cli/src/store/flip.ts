// `strongroom store flip`: puts a key set in force. It needs the names of the keys and nothing else of them: no KMS is
// called, so that a set can be left whose regions do not answer.
import type { Keyring } from "@strongroom/envelope";
import { isVaultError, openVault, VAULT_ERRORS, type Vault } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { requireYes } from "../confirm.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { type NamedKeySets, namedKeySets } from "../installation/key-sets.ts";
import { openStore } from "./open.ts";

/** A keyring for a vault that only its key sets are asked of. */
const NO_KEYS: Keyring = {
  onEncrypt: () => Promise.reject(new Error("this vault has no keys")),
  onDecrypt: () => Promise.reject(new Error("this vault has no keys")),
};

/**
 * Says what it will do, asks, does it. Throws `not-confirmed`, `store-not-flipped`, `config-invalid`, and what opening
 * the store throws.
 */
export async function flipKeySet(context: CommandContext, config: Config, how: "ask" | "yes"): Promise<void> {
  const { folder } = await prepareDataFolder(config.dataDir);
  const sets = await namedKeySets(config, folder);
  const target = sets.next ?? sets.current;
  if (sets.current === null || target === null)
    throw new CliError("config-invalid", {
      detail: "No key set is configured: keys.regions names no keys, and none are remembered in the data folder.",
      remedy: "Run it with the configuration of the service: --config FILE, or --data-dir DIR of strongroom up.",
    });
  const opened = await openStore({ config, folder, env: context.env });
  try {
    const vault = await openVault({ store: opened.store, ...asOptions(sets.current, sets) });
    await flip(vault, { context, how, target, where: opened.description });
  } finally {
    await opened.close();
  }
}

function asOptions(
  current: readonly string[],
  { next }: NamedKeySets,
): Pick<Parameters<typeof openVault>[0], "keyring" | "keySet" | "next"> {
  const named = { keyring: NO_KEYS, keySet: current };
  return next === null ? named : { ...named, next: { keyring: NO_KEYS, keySet: next } };
}

interface Flip {
  readonly context: CommandContext;
  readonly how: "ask" | "yes";
  readonly target: readonly string[];
  /** Where the records lie. */
  readonly where: string;
}

async function flip(vault: Vault, { context, how, target, where }: Flip): Promise<void> {
  const { terminal } = context;
  try {
    const before = await vault.keySet();
    const wanted = before.next ?? before.current;
    if (before.inForce === wanted.digest) {
      terminal.result({ flipped: false, epoch: before.epoch, keys: target }, () => "It is in force already.");
      return;
    }
    terminal.say(`Where   ${where}`);
    for (const [index, key] of target.entries()) terminal.say(`${index === 0 ? "Keys  " : "      "}  ${key}`);
    terminal.say(
      `Epoch ${before.epoch} becomes ${before.epoch + 1}: every write goes under these keys from then on, and a process ` +
        "that does not know them refuses to write (key-set-unknown). Reads go on everywhere.",
    );
    if (how === "ask") await requireYes("Put them in force?", context);
    const after = await vault.flipKeySet();
    terminal.result({ flipped: true, epoch: after.epoch, keys: target }, () => `In force, at epoch ${after.epoch}.`);
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    const { title } = VAULT_ERRORS[cause.code];
    throw new CliError("store-not-flipped", { title, detail: cause.message, reportedCode: cause.code, cause });
  }
}
