// `strongroom keys rotate` and `keys shred`: new keys, and everything brought to them. Of an installation that makes
// its own keys all of it; of configured regions the keys, for whoever keeps the configuration.
import { setTimeout as delay } from "node:timers/promises";
import { given, text } from "@strongroom/base/command";
import type { Client } from "@strongroom/client";
import { keySetDigest } from "@strongroom/vault";
import { command, type CommandContext, type CommandSpec, type Invocation, option, withService } from "../../command.ts";
import { dataFolder } from "../../data-folder.ts";
import { CliError } from "../../errors.ts";
import { WHY_OPTIONS } from "../audit-options.ts";
import {
  type InstallationKeys,
  KEY_ALIASES,
  KEY_PURPOSES,
  type PurposeKeys,
  readInstallationKeys,
} from "../../installation/installed-keys.ts";
import { applyRun } from "./apply.ts";
import { RUN_OPTIONS, runOptionsOf } from "./run-options.ts";

const OPTIONS = {
  ...RUN_OPTIONS,
  credentials: option(
    "--credentials <file>",
    "the access key of whoever may make keys (default: the operator's of strongroom up, or the service's)",
    text(),
  ),
  giveUp: option(
    "--give-up",
    "keep the present keys: forget those that were made, where nothing is under them",
    given(),
  ),
  detach: option("--detach", "begin the run, and do not follow it", given()),
  yes: option("-y, --yes", "do it without asking", given()),
  ...WHY_OPTIONS,
};

/** `strongroom keys rotate`. */
export const keysRotateCommand: CommandSpec = command({
  name: "keys rotate",
  args: "[alias]",
  heading: "Looking after it",
  summary: "make new keys in every region, and bring everything to them",
  description:
    "Of the keys that strongroom up makes: a new one in each region, which the service learns without a restart; " +
    "then as strongroom keys apply does; at its end the aliases point to the new keys, and the old ones can be " +
    "retired (strongroom keys retire). It can be interrupted anywhere and run again: it goes on with the keys that " +
    "it made. Where keys.regions is configured it makes the keys and prints what to put into keys.next, for every " +
    "process; then run strongroom keys apply. Without an alias both are rotated: alias/strongroom, of records, and " +
    "alias/strongroom-keys-1, which wraps the keys of people.",
  flagGroups: ["client", "root-key"],
  options: {
    ...OPTIONS,
    shred: option(
      "--shred",
      "of alias/strongroom-keys-1: into the next shredding generation, so that once the old keys are destroyed no " +
        "backup of the key store opens who was erased before; it holds until strongroom keys apply, and can be undone",
      given(),
    ),
  },
  examples: [
    { line: "npx strongroom keys rotate", meaning: "the yearly rotation of strongroom up, from beginning to end" },
    {
      line: "npx strongroom keys rotate alias/strongroom-keys-1 --keep-old",
      meaning: "people's keys, as far as it can be undone",
    },
  ],
  run: async (invocation) => {
    const [alias] = invocation.args;
    if (!invocation.options.shred) {
      await rotate(invocation, { alias, isShred: false });
      return;
    }
    if (alias !== undefined && alias !== KEY_ALIASES.keyStore)
      throw new CliError("usage", { detail: `Only ${KEY_ALIASES.keyStore} is shredded: it wraps the keys of people.` });
    await rotate(invocation, SHRED);
  },
});

/** `strongroom keys shred`. */
export const keysShredCommand: CommandSpec = command({
  name: "keys shred",
  heading: "Looking after it",
  summary: "take people's keys into the next generation, after which no old backup opens who was erased",
  description:
    "The same as strongroom keys rotate --shred: new keys for alias/strongroom-keys-1 in every region, and all keys " +
    "of people brought to them. It holds with everything moved: strongroom keys undo goes back, strongroom keys " +
    "apply ends it. Once the old wrapping keys are retired and deleted, no backup of the key store opens anything " +
    "of who was erased before. With keys.fourEyes another principal approves it first (strongroom approvals request " +
    "key-store --action shred). Where keys.regions is configured it makes the keys and prints what to put into " +
    "keys.next and keys.nextGeneration.",
  flagGroups: ["client", "root-key"],
  options: OPTIONS,
  examples: [{ line: "npx strongroom keys shred", meaning: "as far as it can be undone" }],
  run: (invocation) => rotate(invocation, SHRED),
});

/** What is rotated. */
interface Rotated {
  readonly alias: string | undefined;
  readonly isShred: boolean;
}

const SHRED: Rotated = { alias: KEY_ALIASES.keyStore, isShred: true };

async function rotate(invocation: Invocation<typeof OPTIONS>, { alias, isShred }: Rotated): Promise<void> {
  const { context, loaded, options } = invocation;
  const { config } = loaded;
  const { requireShredApproved } = await import("../../rotate/approved-shred.ts");
  const { newConfiguredKeys, nextInstalledKeys, rotatedPurposes } = await import("../../rotate/new-keys.ts");
  const request = {
    ...{ config, folder: dataFolder(config.dataDir), signal: context.signal },
    ...{ purposes: rotatedPurposes(alias), credentials: options.credentials, isShred },
  };
  if (options.giveUp) {
    const { giveUpRotation } = await import("../../rotate/give-up.ts");
    const left = await giveUpRotation(context, config);
    context.terminal.result({ left }, () =>
      left.length === 0 ? "No rotation is under way." : "The present keys stay. Those that were made can be retired.",
    );
    return;
  }
  if (isShred) await requireShredApproved(context, config);
  if (config.keys.regions !== undefined) {
    const next = await newConfiguredKeys(request, new Date());
    const generation = isShred ? { nextGeneration: (config.keys.generation ?? 1) + 1 } : {};
    const shown = JSON.stringify({ keys: { next, ...generation } }, null, 2);
    context.terminal.result({ next, ...generation }, () => `${shown}\n\n${WHAT_NEXT}`);
    return;
  }
  const again = isShred ? "strongroom keys shred" : "strongroom keys rotate";
  const before = await readInstallationKeys(request.folder.keys);
  const made = await nextInstalledKeys(request);
  const { nextGeneration } = await readInstallationKeys(request.folder.keys);
  const digests = {
    records: keySetDigest(Object.values(made.records)),
    keys: keySetDigest(Object.values(made.keyStore), nextGeneration),
  };
  await withService<typeof invocation>(async (client) => {
    await untilLearned(client, digests, context, again);
    const { keepOld, ...wishes } = runOptionsOf(options);
    await applyRun(client, invocation, { ...wishes, keepOld: isShred || keepOld === true }, options);
    tellLeft(context, before, made);
  })(invocation).catch((error: unknown) => notRunning(error, again));
}

const WHAT_NEXT = [
  "Put this into the configuration of every process, beside keys.regions, and restart them one after the other.",
  "Then: strongroom keys plan, strongroom keys apply. When it is done, keys.next becomes keys.regions.",
].join("\n");

/** They are in keys.json too, with those of rotations before. */
function tellLeft({ terminal }: CommandContext, before: InstallationKeys, made: PurposeKeys): void {
  const left = KEY_PURPOSES.flatMap((purpose) =>
    Object.entries(before[purpose]).flatMap(([region, key]) => (made[purpose][region] === key ? [] : [key])),
  );
  if (terminal.mode === "json") terminal.printJson({ event: "left", keys: left });
  else terminal.say(["Each, once nothing is under it: strongroom keys retire ARN", ...left].join("\n  "));
}

/** Longest wait until the service knows keys that were just made, in milliseconds. */
const LEARNING_MS = 30_000;
const AGAIN_MS = 500;

/** Until the service declares them: a run that began before would bring everything to where it is. */
async function untilLearned(
  client: Client,
  digests: Readonly<Record<"records" | "keys", string>>,
  { signal }: CommandContext,
  again: string,
): Promise<void> {
  for (let waited = 0; waited <= LEARNING_MS; waited += AGAIN_MS) {
    const { stores } = await client.convergence.plan();
    if (stores.every(({ store, declared }) => declared.digest === digests[store])) return;
    await delay(AGAIN_MS, undefined, { signal });
  }
  throw new CliError("keys-not-ready", {
    detail: "The keys are made, and the service does not know them: it is not the strongroom up of this data folder.",
    remedy: `Run strongroom up with this folder (--data-dir), then ${again} again: it goes on.`,
  });
}

/** The keys are made: whoever reads it should know how to go on. */
function notRunning(error: unknown, again: string): never {
  const isAway = error instanceof CliError && ["service-unreachable", "token-missing"].includes(error.code);
  if (!isAway) throw error;
  throw new CliError(error.code, {
    detail: "The new keys are made. The strongroom up of this data folder brings everything to them, and does not run.",
    remedy: `Start it: strongroom up. Then run ${again} again: it goes on where it ended.`,
    cause: error,
  });
}
