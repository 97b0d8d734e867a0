/**
 * What there is to complete: for each place in a command line the words and options that may follow. Made from the same
 * tables as the program; completion-scripts.ts writes it as scripts, and `completion`, which every program has, prints
 * one.
 */
import type { z } from "zod";
import { UsageError } from "../errors.ts";
import { flagDescription, settingFlags } from "../settings/given.ts";
import {
  COMPLETION_SCRIPTS,
  type Completed,
  type CompletedOption,
  type CompletedPlace,
  type CompletionModel,
  type Shell,
} from "./completion-scripts.ts";
import type { CommandSpec, CommandTable, ProgramSpec } from "./spec.ts";

const SHELLS = Object.keys(COMPLETION_SCRIPTS) as readonly Shell[];

/** The table of the one command; the script is made from all tables of the program, this one included. */
export function completionTable(program: ProgramSpec): CommandTable {
  const table: CommandTable = {
    groups: {},
    settings: { table: {}, always: [], heading: "Settings", configFile: null, load: async () => null },
    commands: [
      {
        name: "completion",
        args: "<shell>",
        argWords: SHELLS,
        heading: program.completionHeading,
        summary: "print a script that completes commands and options in bash, zsh or fish",
        options: {},
        flagGroups: [],
        examples: [
          { line: `source <(${program.name} completion bash)`, meaning: "in ~/.bashrc" },
          { line: `source <(${program.name} completion zsh)`, meaning: "in ~/.zshrc, after compinit" },
          { line: `${program.name} completion fish | source`, meaning: "in ~/.config/fish/config.fish" },
        ],
        run: async ({ args: [shell = ""], context }) => {
          if (!isShell(shell)) throw new UsageError({ detail: `The shell must be one of ${SHELLS.join(", ")}.` });
          const model = completionModel(program.name, [...program.tables, table]);
          const script = COMPLETION_SCRIPTS[shell](model);
          context.terminal.result({ shell, script }, () => script.trimEnd());
        },
      },
    ],
  };
  return table;
}

function isShell(word: string): word is Shell {
  return Object.hasOwn(COMPLETION_SCRIPTS, word);
}

const HELP: CompletedOption = { long: "--help", short: "-h", description: "show help", value: null };

/** The model of a program's tables. */
export function completionModel(program: string, tables: readonly CommandTable[]): CompletionModel {
  const places = new Map<string, CompletedPlace>();
  const placeAt = (path: string): CompletedPlace =>
    places.get(path) ?? { path, words: [], options: [HELP], argument: { kind: "nothing" } };
  const groups = Object.fromEntries(tables.flatMap((table) => Object.entries(table.groups)));
  for (const table of tables) {
    for (const spec of table.commands) {
      const words = spec.name.split(" ");
      words.forEach((word, depth) => {
        const path = words.slice(0, depth).join(" ");
        const place = placeAt(path);
        const below = words.slice(0, depth + 1).join(" ");
        const description = below === spec.name ? spec.summary : (groups[below]?.summary ?? "");
        const others = place.words.filter((one) => one.word !== word);
        const known = others.length < place.words.length && below !== spec.name;
        places.set(path, known ? place : { ...place, words: [...others, { word, description }] });
      });
      const place = placeAt(spec.name);
      places.set(spec.name, { ...place, options: optionsOf(spec, table), argument: argumentOf(spec) });
    }
  }
  const root = placeAt("");
  const version: CompletedOption = { long: "--version", short: "-V", description: "print the version", value: null };
  places.set("", { ...root, options: [HELP, version] });
  return { program, places: [...places.values()] };
}

function optionsOf(spec: CommandSpec, { settings }: CommandTable): readonly CompletedOption[] {
  const own = Object.values(spec.options).map(({ flags, description, schema }) =>
    completedOption(flags, description, schema),
  );
  const flags = settingFlags(settings.table, [...spec.flagGroups, ...settings.always]).map((flag) =>
    completedOption(flag.flag, flagDescription(flag), flag.setting.schema),
  );
  const config =
    settings.configFile === null ? [] : [completedOption("--config <file>", settings.configFile, undefined)];
  return [...own, ...flags, ...config, completedOption("--json", "print the result as JSON", undefined), HELP];
}

function completedOption(flags: string, description: string, schema: z.ZodType | undefined): CompletedOption {
  const parts = flags.split(/[ ,]+/);
  const placeholder = parts.find((part) => part.startsWith("<"));
  return {
    long: parts.find((part) => part.startsWith("--")) ?? "",
    short: parts.find((part) => /^-[^-]$/.test(part)) ?? null,
    description,
    value: placeholder === undefined ? null : completedBy(placeholder, schema),
  };
}

function argumentOf({ args = "", argWords }: CommandSpec): Completed {
  if (argWords !== undefined) return { kind: "words", words: argWords };
  return /[<[]file[>\]]/.test(args) ? { kind: "files" } : { kind: "nothing" };
}

function completedBy(placeholder: string, schema: z.ZodType | undefined): Completed {
  if (placeholder === "<file>") return { kind: "files" };
  if (placeholder === "<dir>") return { kind: "folders" };
  const words = wordsOf(schema);
  return words.length === 0 ? { kind: "nothing" } : { kind: "words", words };
}

/** The words that a schema takes, where it takes only some; what is read first counts. */
function wordsOf(schema: unknown): readonly string[] {
  const { type, ...inner } = definitionOf(schema);
  if (type === "enum") return Object.values(inner.entries ?? {}).filter((word) => typeof word === "string");
  const next = inner.in ?? inner.innerType ?? inner.element;
  return next === undefined ? [] : wordsOf(next);
}

interface Definition {
  readonly type?: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly in?: unknown;
  readonly innerType?: unknown;
  readonly element?: unknown;
}

/** Zod tells what a schema is made of in `def`. */
function definitionOf(schema: unknown): Definition {
  if (typeof schema !== "object" || schema === null || !("def" in schema)) return {};
  return schema.def as Definition;
}
