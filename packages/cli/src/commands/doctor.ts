// `strongroom doctor`: checks everything that usually goes wrong, and says what to do.
import { type Style, type Terminal, wrapped } from "@strongroom/base/terminal";
import { command, type CommandSpec } from "../command.ts";
import { dataFolder } from "../data-folder.ts";
import type { Finding, Severity } from "../doctor/check.ts";
import { CliError } from "../errors.ts";

const MARKS: Readonly<Record<Severity, { readonly mark: string; readonly style: Style }>> = {
  ok: { mark: "ok", style: "green" },
  warning: { mark: "warn", style: "yellow" },
  failure: { mark: "FAIL", style: "red" },
};

/** `strongroom doctor`. */
export const doctorCommand: CommandSpec = command({
  name: "doctor",
  heading: "Looking after it",
  summary: "check configuration, files, regions, clock and service, and say what to do",
  flagGroups: ["client", "store"],
  options: {},
  examples: [
    { line: "npx strongroom doctor", meaning: "exit code 1 if a check failed" },
    {
      line: "npx strongroom doctor --json | jq '.findings[] | select(.severity != \"ok\")'",
      meaning: "what is not right",
    },
  ],
  run: async ({ context, loaded }) => {
    const { env, signal, terminal } = context;
    const subject = { loaded, folder: dataFolder(loaded.config.dataDir), env, signal, terminal };
    const findings: Finding[] = [];
    const { CHECKS } = await import("../doctor/checks.ts");
    for (const check of CHECKS) for (const finding of await check(subject)) findings.push(finding);
    context.signal.throwIfAborted();
    context.terminal.result({ findings }, (shown) =>
      shown.findings.map((finding) => describe(finding, context.terminal)).join("\n"),
    );
    const failed = findings.filter(({ severity }) => severity === "failure").length;
    if (failed > 0) throw new CliError("checks-failed", { detail: `${failed} of ${findings.length} checks failed.` });
  },
});

function describe({ what, severity, detail, remedy }: Finding, terminal: Terminal): string {
  const { mark, style } = MARKS[severity];
  // A narrow screen has no room for a column beside the other.
  const column = terminal.width < 72 ? 6 : 30;
  const name = `${terminal.style(style, mark.padEnd(4))}  `;
  const beside = terminal.width < 72 ? `${name}${what}: ${detail}` : `${name}${what.padEnd(22)}  ${detail}`;
  const line = wrapped(beside, terminal.width, column);
  return remedy === undefined ? line : `${line}\n${dimmed(remedy, column, terminal)}`;
}

function dimmed(text: string, column: number, terminal: Terminal): string {
  return wrapped(" ".repeat(column) + text, terminal.width, column)
    .split("\n")
    .map((line) => terminal.style("dim", line))
    .join("\n");
}
