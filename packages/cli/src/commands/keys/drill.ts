// `strongroom keys drill`: a rotation and a retirement of all keys on a throw-away copy, under load, with a process
// that is killed in the middle, held against what is promised.
import { randomInt } from "node:crypto";
import { resolve } from "node:path";
import { given, text, wholeNumber, wholeNumberOr } from "@strongroom/base/command";
import { printable } from "@strongroom/base/terminal";
import { command, type CommandSpec, option } from "../../command.ts";
import { asCliError } from "../../connection.ts";
import { requireKept } from "../../drill/kept.ts";
import type { DrillSource } from "../../drill/keys/scratch.ts";
import { CliError } from "../../errors.ts";

const DEFAULTS = { records: 200, rate: 50, kmsRate: 30, wait: 1 } as const;

/** `strongroom keys drill`. */
export const keysDrillCommand: CommandSpec = command({
  name: "keys drill",
  heading: "Looking after it",
  summary: "rotate and retire all keys of a throw-away copy, under load, and check what is promised",
  description:
    "In a scratch folder, with a KMS of its own, which is gone at the end: the vault that it is a copy of is not " +
    "touched. Records are written, and read and written on; all keys are rotated; the process is killed once in the " +
    "middle; the keys of before are retired, with the wait shortened; everything is opened. Exit code 1 means that a " +
    "promise was broken. A copy needs as much room as the vault, beside its data folder. What it takes of AWS KMS is " +
    "not tried: days until a deletion, and how long a policy takes to hold everywhere.",
  flagGroups: ["store", "audit-log", "root-key"],
  options: {
    copy: option("--copy", "on a copy of the vault of the data folder, beside its running service", given()),
    backup: option("--backup <dir>", "on what this backup brings back", text()),
    records: option(
      "--records <n>",
      `records that are made, also in a copy (default: ${DEFAULTS.records})`,
      wholeNumberOr(DEFAULTS.records, 2, 100_000),
    ),
    rate: option(
      "--rate <n>",
      `requests per second, one in five of them a write (default: ${DEFAULTS.rate})`,
      wholeNumberOr(DEFAULTS.rate, 2, 1000),
    ),
    kmsRate: option(
      "--kms-rate <n>",
      `calls of the KMS a second and region that the run may make (default: ${DEFAULTS.kmsRate})`,
      wholeNumberOr(DEFAULTS.kmsRate, 1, 100_000),
    ),
    wait: option(
      "--wait <seconds>",
      `between the two looks of each retirement (default: ${DEFAULTS.wait})`,
      wholeNumberOr(DEFAULTS.wait, 0, 3600),
    ),
    seed: option("--seed <n>", "repeats the choices of an earlier drill (default: drawn)", wholeNumber(0, 0xffff_ffff)),
  },
  examples: [
    { line: "npx strongroom keys drill", meaning: "with records that are made for it, in a minute or two" },
    { line: "npx strongroom keys drill --copy", meaning: "before the yearly rotation: on a copy of what there is" },
    { line: "npx strongroom keys drill --json | jq '.promises[]'", meaning: "in CI; exit code 1 if one was broken" },
  ],
  run: async ({ context, loaded, options }) => {
    const { runKeyDrill } = await import("../../drill/keys/run-key-drill.ts");
    const { keyDrillView } = await import("../../drill/keys/key-report.ts");
    const { copy, backup, seed, ...chosen } = options;
    const { terminal } = context;
    const startedAt = performance.now();
    const report = await runKeyDrill({
      ...{ context, config: loaded.config },
      settings: {
        ...chosen,
        seed: seed ?? randomInt(2 ** 32),
        source: sourceOf(copy, backup === undefined ? undefined : resolve(context.cwd, backup)),
      },
      onProgress: (step) => {
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
        terminal.say(`${terminal.styleError("dim", `${seconds} s`)}  ${printable(step)}`);
      },
    }).catch((error: unknown) => {
      throw asCliError(error);
    });
    terminal.result(report, (shown) => keyDrillView(shown, terminal));
    requireKept(report.promises, "docs/operations.md says what a rotation promises. Rotate nothing until it is found.");
  },
});

function sourceOf(copy: boolean, backup: string | undefined): DrillSource {
  if (copy && backup !== undefined) throw new CliError("usage", { detail: "--copy and --backup exclude each other." });
  return backup === undefined ? { kind: copy ? "copy" : "made" } : { kind: "backup", path: backup };
}
