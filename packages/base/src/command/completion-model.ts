/**
 * What there is to complete: for each place in a command line the words and options that may follow. Made from the same
 * tables as the program; completion-scripts.ts writes it as scripts.
 */
import type { z } from "zod";
import { flagDescription, settingFlags } from "../settings/given.ts";
import type { CommandSpec, CommandTable } from "./spec.ts";

/** What an option's value, or an argument, can be completed with. */
export type Completed =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "folders" }
  | { readonly kind: "nothing" };

/** One option at a place. */
export interface CompletedOption {
  /** `--output`. */
  readonly long: string;
  /** `-o`, or null. */
  readonly short: string | null;
  readonly description: string;
  /** Null for a switch. */
  readonly value: Completed | null;
}

/** A place in a command line: the words of a command, or of a group of them. */
export interface CompletedPlace {
  /** `kms audit`; empty for the program alone. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly description: string }[];
  readonly options: readonly CompletedOption[];
  readonly argument: Completed;
}

/** Everything that a program completes. */
export interface CompletionModel {
  readonly program: string;
  readonly places: readonly CompletedPlace[];
}

const HELP: CompletedOption = { long: "--help", short: "-h", description: "show help", value: null };

/** The model of a program's tables. */
export function completionModel(program: string, tables: readonly CommandTable[]): CompletionModel {
  const places = new Map<string, CompletedPlace>();
  const placeAt = (path: string): CompletedPlace =>
    places.get(path) ?? { path, words: [], options: [HELP], argument: { kind: "nothing" } };
  const groups = Object.assign({}, ...tables.map((table) => table.groups)) as CommandTable["groups"];
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
