// Asking a person before something is done that cannot be taken back. Only on a terminal: standard input that is
// something else is never read as an answer.
import type { CommandContext } from "./command.ts";
import { CliError } from "./errors.ts";

/** Asks, and goes on when the answer is yes. Throws `not-confirmed` for any other, and where nobody can be asked. */
export async function requireYes(question: string, { terminal, signal }: CommandContext): Promise<void> {
  const canAsk = terminal.stdin.isTTY === true && terminal.stderr.isTTY && terminal.mode === "human";
  if (!canAsk) throw new CliError("not-confirmed", { detail: "There is no terminal on which to ask." });
  const answer = await terminal.ask(`${question} [y/N] `, signal);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError("not-confirmed", { detail: "The answer was not yes." });
}
