// `strongroom store flip`: puts key sets in force, of the records and of the keys. It is in the audit, whose key some
// region of the sets that are left or taken must open: so the vault is opened for it. Of a set that is left no other
// region need answer.
import { type GateKeySets, isVaultError, keySetsOf, type KeySetStatus, VAULT_ERRORS } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { requireYes } from "../confirm.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { auditedKeySets } from "../installation/audited-key-sets.ts";
import type { CommandVault } from "../installation/command-vault.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { withVault } from "../installation/with-vault.ts";
import type { StoreParts } from "./open.ts";
import { placeOf } from "./pair.ts";
import { type KeyedRole, STORE_ROLES } from "./which.ts";

/** What is to be in force in a store. */
interface Target {
  readonly role: KeyedRole;
  readonly current: readonly string[];
  readonly next: readonly string[] | null;
  readonly generation: number;
  readonly nextGeneration: number;
}

/** A target, its store being open. */
interface Flip {
  readonly keys: readonly string[];
  readonly sets: GateKeySets;
  readonly before: KeySetStatus;
  readonly isDone: boolean;
}

/**
 * Says what it will do, asks, does it: first in the key store, so that no record is written meanwhile that hangs on a
 * key of the set that is left. Throws `not-confirmed`, `store-not-flipped`, `config-invalid`, and what opening the
 * vault throws.
 */
export async function flipKeySet(context: CommandContext, config: Config, how: "ask" | "yes"): Promise<void> {
  const { terminal } = context;
  const { folder } = await prepareDataFolder(config.dataDir);
  const parts: StoreParts = { config, folder, env: context.env };
  const [keys, records] = await Promise.all((["keys", "records"] as const).map((role) => targetOf(role, parts)));
  if (records === undefined || records === null)
    throw new CliError("config-invalid", {
      detail: "No key set is configured: keys.regions names no keys, and none are remembered in the data folder.",
      remedy: "Run it with the configuration of the service: --config FILE, or --data-dir DIR of strongroom up.",
    });
  await withVault(context, { config, folder }, async (opened) => {
    const flips = new Map<KeyedRole, Flip>();
    for (const target of [keys, records]) {
      if (target === null || target === undefined) continue;
      flips.set(target.role, await lookAtSets(target, opened));
      if (flips.get(target.role)?.isDone === false) tell(target, placeOf(parts, target.role), flips, context);
    }
    const owed = [...flips.values()].filter(({ isDone }) => !isDone);
    if (owed.length > 0 && how === "ask") await requireYes("Put them in force?", context);
    const results = new Map<KeyedRole, FlipResult>();
    for (const [role, flip] of flips)
      results.set(role, await flipOne(flip).catch((cause: unknown) => half(cause, results)));
    const result = { ...results.get("records"), keyStore: results.get("keys") ?? null };
    const epochs = [...results].map(
      ([role, { epoch }]) => `${STORE_ROLES[role].label.toLowerCase()} at epoch ${epoch}`,
    );
    terminal.result(result, () =>
      owed.length === 0 ? "They are in force already." : `In force: ${epochs.toReversed().join(", ")}.`,
    );
  });
}

async function targetOf(role: KeyedRole, { config, folder }: StoreParts): Promise<Target | null> {
  const { current, ...others } = await namedKeySets(config, folder, role);
  return current === null ? null : { role, current, ...others };
}

async function lookAtSets(
  { role, current, next, generation, nextGeneration }: Target,
  { vault, stores }: CommandVault,
): Promise<Flip> {
  const sets = keySetsOf(stores[role].gate, {
    ...{ keySet: current, generation },
    ...(next === null ? {} : { next, nextGeneration }),
  });
  const before = await told(sets.status());
  const isDone = before.inForce === (before.next ?? before.current).digest;
  // One that is done changes nothing: there is nothing to tell.
  return { keys: next ?? current, sets: isDone ? sets : auditedKeySets(vault.audit, role, sets), before, isDone };
}

function tell(
  { role }: Target,
  where: string,
  flips: ReadonlyMap<KeyedRole, Flip>,
  { terminal }: CommandContext,
): void {
  const { keys = [], before } = flips.get(role) ?? {};
  const epoch = before?.epoch ?? 0;
  terminal.say(`${STORE_ROLES[role].label.padEnd(10)}${where}`);
  for (const [index, key] of keys.entries()) terminal.say(`${(index === 0 ? "Keys" : "").padEnd(10)}${key}`);
  terminal.say(
    `Epoch ${epoch} becomes ${epoch + 1}: ${role === "keys" ? "every new key" : "every write"} goes under these keys ` +
      "from then on, and a process that does not know them refuses to write (key-set-unknown). Reads go on everywhere.",
  );
}

/** What became of a store. */
interface FlipResult {
  readonly flipped: boolean;
  readonly epoch: number;
  readonly keys: readonly string[];
}

/** Between the two every process goes on: it knows both sets, and writes under that of each store. */
function half(cause: unknown, results: ReadonlyMap<KeyedRole, FlipResult>): never {
  if (!(cause instanceof CliError) || results.get("keys")?.flipped !== true) throw cause;
  throw new CliError(cause.code, {
    title: cause.title,
    detail: `${cause.detail ?? cause.title}. In the key store they are in force already, in the store of records not yet.`,
    remedy: "Run strongroom store flip again, with the same configuration: it goes on where it ended.",
    reportedCode: cause.reportedCode,
    cause,
  });
}

/** Also one that is done: another process may be about to finish it. */
async function flipOne({ keys, sets, isDone }: Flip): Promise<FlipResult> {
  const { epoch } = await told(sets.flip());
  return { flipped: !isDone, epoch, keys };
}

async function told(status: Promise<KeySetStatus>): Promise<KeySetStatus> {
  try {
    return await status;
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    const { title } = VAULT_ERRORS[cause.code];
    throw new CliError("store-not-flipped", { title, detail: cause.message, reportedCode: cause.code, cause });
  }
}
