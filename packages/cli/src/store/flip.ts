// `strongroom store flip`: puts key sets in force, of the records and of the keys. It needs the names of the wrapping
// keys and nothing else of them: no KMS is called, so that a set can be left whose regions do not answer.
import { type GateKeySets, isVaultError, keySetsOf, type KeySetStatus, VAULT_ERRORS } from "@strongroom/vault";
import type { CommandContext } from "../command.ts";
import type { Config } from "../config/config.ts";
import { requireYes } from "../confirm.ts";
import { prepareDataFolder } from "../data-folder.ts";
import { CliError } from "../errors.ts";
import { namedKeySets } from "../installation/key-sets.ts";
import { openStore, type StoreParts } from "./open.ts";
import { type KeyedRole, STORE_ROLES } from "./which.ts";

/** What is to be in force in a store. */
interface Target {
  readonly role: KeyedRole;
  readonly current: readonly string[];
  readonly next: readonly string[] | null;
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
 * key of the set that is left. Throws `not-confirmed`, `store-not-flipped`, `config-invalid`, and what opening a store
 * throws.
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
  const ends: (() => Promise<void>)[] = [];
  try {
    const flips = new Map<KeyedRole, Flip>();
    for (const target of [keys, records]) {
      if (target === null || target === undefined) continue;
      const opened = await openStore(parts, target.role);
      ends.push(() => opened.close());
      flips.set(target.role, await lookAtSets(target, opened.store));
      if (flips.get(target.role)?.isDone === false) tell(target, opened.description, flips, context);
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
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function targetOf(role: KeyedRole, { config, folder }: StoreParts): Promise<Target | null> {
  const { current, next } = await namedKeySets(config, folder, role);
  return current === null ? null : { role, current, next };
}

async function lookAtSets(
  { current, next }: Target,
  { gate }: { readonly gate: Parameters<typeof keySetsOf>[0] },
): Promise<Flip> {
  const sets = keySetsOf(gate, { keySet: current, ...(next === null ? {} : { next }) });
  const before = await told(sets.status());
  const isDone = before.inForce === (before.next ?? before.current).digest;
  return { keys: next ?? current, sets, before, isDone };
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
