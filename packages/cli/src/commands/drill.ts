// `strongroom drill`: takes regions away from a running installation while reading and writing, and holds what was felt
// against what is promised.
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { text, wholeNumber, wholeNumberOr } from "@strongroom/base/command";
import type { Lock } from "@strongroom/base/locks";
import { printable } from "@strongroom/base/terminal";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { z } from "zod";
import { command, type CommandSpec, option } from "../command.ts";
import { dataFolder, lockDataFolder } from "../data-folder.ts";
import { controlPort, FAULT_NAMES, type FaultName, findControl } from "../drill/control-port.ts";
import { requireKept } from "../drill/kept.ts";
import { drillTables, timelineOf } from "../drill/report.ts";
import { type DrillParts, runDrill } from "../drill/run-drill.ts";
import { DRILL_DEFAULTS, type DrillSettings } from "../drill/settings.ts";
import { CliError } from "../errors.ts";
import { asCliError, clientOf, findConnection } from "../connection.ts";
import { writeOutput } from "../input-output.ts";

const words = text().transform((value) => value?.split(",").map((word) => word.trim()) ?? null);

const faultNames: z.ZodType<readonly FaultName[]> = words
  .transform((names) => (names?.join() === "all" ? [...FAULT_NAMES] : (names ?? DRILL_DEFAULTS.faults)))
  .pipe(z.array(z.enum(FAULT_NAMES, `must be all, or some of ${FAULT_NAMES.join(", ")}`)));

const roundTrips: z.ZodType<readonly number[]> = words
  .transform((parts) => parts ?? [])
  .pipe(
    z.array(
      z
        .string()
        .regex(/^\d{1,5}$/, "must be milliseconds, such as 5,40,70")
        .transform(Number),
    ),
  );

/** `strongroom drill`. */
export const drillCommand: CommandSpec = command({
  name: "drill",
  heading: "Looking after it",
  summary: "take regions away from a running installation, under load, and check what is promised",
  description:
    "The installation must have been started with --allow-faults. Records are read and written in a collection of " +
    "the drill's own, which is removed at the end; " +
    "other records are not touched, but everyone who uses the installation meets the outages. Ctrl-C ends the " +
    "drill and brings the regions back. " +
    "Exit code 1 means that a promise was broken.",
  flagGroups: ["client"],
  options: {
    faults: option(
      "--faults <names>",
      `how regions are lost, with commas between: all, or some of ${FAULT_NAMES.join(", ")} ` +
        `(default: ${DRILL_DEFAULTS.faults.join(",")})`,
      faultNames,
    ),
    regions: option("--regions <names>", "regions to lose in turn (default: all of them)", words),
    lost: option(
      "--lost <n>",
      `regions lost together (default: ${DRILL_DEFAULTS.lost})`,
      wholeNumberOr(DRILL_DEFAULTS.lost, 1, 20),
    ),
    rate: option(
      "--rate <n>",
      `requests per second, one in five of them a write (default: ${DRILL_DEFAULTS.rate})`,
      wholeNumberOr(DRILL_DEFAULTS.rate, 5, 1000),
    ),
    seconds: option(
      "--seconds <n>",
      `length of the healthy phase and of each loss (default: ${DRILL_DEFAULTS.seconds})`,
      wholeNumberOr(DRILL_DEFAULTS.seconds, 1, 600),
    ),
    seed: option("--seed <n>", "repeats the choices of an earlier drill (default: drawn)", wholeNumber(0, 0xffff_ffff)),
    minimum: option(
      "--minimum <n>",
      "wraps that every acknowledged write must have (default: what the service asks for)",
      wholeNumber(1, 20),
    ),
    roundTrips: option(
      "--round-trips <ms>",
      "makes the regions as far away, nearest first, with commas between",
      roundTrips,
    ),
    collection: option(
      "--collection <name>",
      `collection of the drill's records (default: ${DRILL_DEFAULTS.collection})`,
      text(),
    ),
    faultsUrl: option(
      "--faults-url <url>",
      "control port of the KMS (default: that of the running installation)",
      z.url({ protocol: /^http$/, error: "must be an http:// URL" }).optional(),
    ),
    faultsHeaderFile: option(
      "--faults-header-file <file>",
      "file with the header that the control port wants (default: that of the data folder)",
      text(),
    ),
    timeline: option("--timeline <file>", "write every call and what was owed, over time, to this file", text()),
  },
  examples: [
    {
      line: "npx strongroom up --allow-faults",
      meaning: "first, in another terminal: an installation whose regions can be taken away",
    },
    {
      line: "npx strongroom drill",
      meaning: "a short drill: every region in turn, four kinds of outage, about two minutes",
    },
    {
      line: "npx strongroom drill --faults all --seconds 10 --round-trips 5,40,70",
      meaning: "every kind of outage, with regions at a distance",
    },
    {
      line: "npx strongroom drill --lost 2 --faults refused,black-hole",
      meaning: "two regions at once: writes are refused, reads go on",
    },
    {
      line: "npx strongroom drill --json --seed 1 | jq '.promises[] | select(.outcome != \"kept\")'",
      meaning: "in CI; exit code 1 if a promise was broken",
    },
  ],
  run: async ({ context, options, loaded }) => {
    const { terminal, signal } = context;
    const { config } = loaded;
    const {
      seed,
      minimum,
      collection,
      faultsUrl,
      faultsHeaderFile,
      timeline,
      roundTrips: roundTripsMs,
      ...chosen
    } = options;
    const settings: DrillSettings = {
      ...chosen,
      seed: seed ?? randomInt(2 ** 32),
      minimum: minimum ?? null,
      collection: collection ?? DRILL_DEFAULTS.collection,
      roundTripsMs,
      deadlineMs: config.keys.deadlineMs ?? MULTI_REGION_DEFAULTS.deadlineMs,
    };
    const control = controlPort(
      await findControl(loaded, {
        url: faultsUrl,
        headerFile: faultsHeaderFile === undefined ? undefined : resolve(context.cwd, faultsHeaderFile),
      }),
    );
    const connection = await findConnection(loaded, context.env);
    const client = (ending: AbortSignal): DrillParts["service"] =>
      clientOf(connection, { timeoutMs: config.client.timeoutMs, signal: ending });
    const lock = lockDrill(config.dataDir);
    try {
      const startedAt = performance.now();
      const onProgress = (step: string): void => {
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
        terminal.say(`${terminal.styleError("dim", `${seconds} s`)}  ${printable(step)}`);
      };
      const run = await runDrill({
        service: client(signal),
        tidying: client(new AbortController().signal),
        control,
        settings,
        signal,
        onProgress,
      });
      if (timeline !== undefined) {
        await writeOutput(timeline, `${JSON.stringify(timelineOf(run))}\n`, context);
      }
      terminal.result(run.report, (shown) => drillTables(shown, terminal));
      requireKept(run.report.promises);
    } catch (error) {
      throw asCliError(error);
    } finally {
      lock?.release();
    }
  },
});

/** One drill at a time; where the installation's folder is elsewhere there is nothing to lock. */
function lockDrill(dataDir: string): Lock | null {
  const folder = dataFolder(dataDir);
  if (!existsSync(folder.path)) return null;
  try {
    return lockDataFolder(folder.drillLock, folder.path);
  } catch (cause) {
    if (cause instanceof CliError && cause.code === "data-dir-in-use") throw new CliError("drill-running", { cause });
    throw cause;
  }
}
