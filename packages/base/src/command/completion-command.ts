/**
 * `completion`, which every program has: prints a script that completes its commands, options and their words.
 */
import { UsageError } from "../errors/report.ts";
import { completionModel } from "./completion-model.ts";
import { COMPLETION_SCRIPTS, type Shell } from "./completion-scripts.ts";
import type { CommandTable, ProgramSpec } from "./spec.ts";

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
