// For tests: a small program that has everything the frame offers, run in this process.
import { PassThrough, Readable } from "node:stream";
import { z } from "zod";
import {
  type CommandSpec,
  given,
  type Invocation,
  mount,
  oneOf,
  option,
  type ProgramSpec,
  repeatedOption,
  runProgram,
  wholeNumberOr,
} from "../../src/command/index.ts";
import { asInteger, asPath, type SettingTable } from "../../src/settings/index.ts";

export const SETTINGS: SettingTable = {
  dataDir: {
    group: "files",
    schema: z.string(),
    default: "data",
    meaning: "folder of everything",
    ways: [{ env: "PANTRY_DATA_DIR", flag: "--data-dir <dir>", reading: asPath }],
  },
  port: {
    group: "service",
    schema: z.int(),
    default: 80,
    meaning: "port of the service",
    ways: [{ env: "PANTRY_PORT", flag: "--port <n>", reading: asInteger }],
  },
};

/** What the last command was run with. */
export const ran: { last: Invocation | null } = { last: null };

function spec(name: string, more: Partial<CommandSpec>): CommandSpec {
  return {
    name,
    heading: "Things",
    summary: `it's ${name}`,
    options: {},
    flagGroups: [],
    examples: [{ line: `npx pantry ${name}`, meaning: "as it is" }],
    run: async (invocation) => {
      ran.last = invocation;
      invocation.context.terminal.result({ name }, () => `ran ${name}`);
    },
    ...more,
  };
}

export class ShelfError extends Error {
  readonly code: string = "shelf-empty";
  readonly row = { title: "The shelf is empty", remedy: "Fill it.", outcome: "absent", status: 404 } as const;
  readonly detail: string = "shelf 3";
  readonly problems: readonly string[] = ["no flour", "no salt"];
}

const commands: readonly CommandSpec[] = [
  spec("list", {
    args: "[shelf]",
    flagGroups: ["service"],
    options: {
      format: option("--format <format>", "csv or json: what it's written as", oneOf(["csv", "json"])),
      limit: option("-l, --limit <n>", "at most so many", wholeNumberOr(10, 1, 100)),
      tag: repeatedOption("--tag <tag>", "with this tag", z.array(z.string()).default([])),
      all: option("--all", "everything", given()),
    },
  }),
  spec("list empty", {}),
  spec("read", {
    args: "<file>",
    options: { output: option("-o, --output <file>", "into it", z.string().optional()) },
  }),
  spec("shelf add", { args: "<name>" }),
  spec("shelf check", {
    run: async ({ endWith }) => {
      endWith("conflict");
    },
  }),
  spec("fail", { run: () => Promise.reject(new ShelfError("not shown")) }),
  spec("break", { run: () => Promise.reject(new TypeError("a defect")) }),
];

const settings = { table: SETTINGS, always: ["files"], heading: "Settings", load: async (from: unknown) => from };
const groups = { shelf: { summary: "the shelves", heading: "Things" } };

export const PANTRY: ProgramSpec = {
  name: "pantry",
  version: "1.2.3",
  description: "Keeps things.",
  startHere: "pantry list",
  completionHeading: "Things",
  tables: [
    { commands, groups, settings: { ...settings, configFile: "configuration file" } },
    mount(
      commands,
      groups,
      { ...settings, configFile: null },
      {
        prefix: "cellar",
        group: { summary: "the same, below", heading: "Things" },
        examples: { from: "npx pantry", to: "npx pantry cellar" },
      },
    ),
  ],
};

/** Runs one command line. */
export async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly exit: number; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const streams = {
    stdin: Readable.from([]),
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  };
  ran.last = null;
  const exit = await runProgram(PANTRY, argv, { streams, env, cwd: "/somewhere", signal });
  return { exit, stdout: written(stdout), stderr: written(stderr) };
}

function written(stream: PassThrough): string {
  return (stream.read() as Buffer | null)?.toString("utf8") ?? "";
}
