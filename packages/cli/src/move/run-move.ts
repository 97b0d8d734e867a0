// Runs the steps of a move: the application's database on one side, the service on the other.
import { startProgress } from "@strongroom/base/terminal/progress";
import type { Client } from "@strongroom/client";
import {
  type MoveDefinition,
  type MoveOptions,
  MoveStates,
  plan,
  STAGES,
  start,
  type StepOptions,
  type StepResult,
} from "@strongroom/vault/moving";
import type { CommandContext } from "../command.ts";
import { CliError } from "../errors.ts";
import { looksPersonal } from "../personal-id.ts";
import { clientTarget } from "./client-target.ts";
import { openerOf } from "./opener.ts";
import { type SourceOptions, withSource } from "./source.ts";
import { planView, stateView, stepView } from "./views.ts";

/** What every step is told. */
export interface StepArguments extends SourceOptions {
  readonly kmsKey: readonly string[] | undefined;
  readonly rate: number | undefined;
}

/** Looks at the table. */
export async function planned(
  context: CommandContext,
  options: SourceOptions,
  definition: MoveDefinition,
): Promise<void> {
  await withSource(options, context, async (database) => {
    const bar = startProgress(context.terminal, { label: "looking", total: null });
    try {
      const found = await plan(database, definition, {
        signal: context.signal,
        isPersonal: looksPersonal,
        onProgress: ({ done }) => {
          bar.update(done, done);
        },
      });
      bar.stop();
      context.terminal.result(found, (shown) => planView(shown, context.terminal));
    } finally {
      bar.stop();
    }
  });
}

/** Begins it. */
export async function started(
  client: Client,
  context: CommandContext,
  options: StepArguments,
  definition: MoveDefinition,
): Promise<void> {
  await stepped(client, context, options, (parts) => start(parts, definition));
}

/** Does a step, shows what came of it, and ends with an error where something is not as it should be. */
export async function stepped(
  client: Client,
  context: CommandContext,
  options: StepArguments,
  step: (parts: MoveOptions, how: StepOptions) => Promise<StepResult>,
): Promise<void> {
  const { terminal, signal } = context;
  const opener = await openerOf(options.kmsKey);
  await withSource(options, context, async (database) => {
    const target = (collection: string): ReturnType<typeof clientTarget> => clientTarget(client, collection, signal);
    const bar = startProgress(terminal, { label: "moving", total: null });
    const how: StepOptions = {
      signal,
      onProgress: ({ done }) => {
        bar.update(done, done);
      },
      ...(options.rate === undefined ? {} : { rate: options.rate }),
    };
    try {
      const result = await step({ database, target, opener }, how);
      bar.stop();
      terminal.result(result, (shown) => stepView(shown, STAGES[shown.state.stage]));
      requireDone(result);
    } finally {
      bar.stop();
    }
  });
}

/** @throws CliError `move-incomplete` */
function requireDone({ counts, verdict, left = [] }: StepResult): void {
  const problems = [
    ...((counts?.refused ?? 0) > 0 ? [`${counts?.refused} rows were not taken`] : []),
    ...((verdict?.found ?? 0) > 0 ? [`${verdict?.found} rows or records are not the same`] : []),
    ...(left.length > 0 ? [`${left.length} rows were left as they are`] : []),
  ];
  if (problems.length > 0) throw new CliError("move-incomplete", { detail: `${problems.join(", ")}.` });
}

/** Shows every move of the database, or one. */
export async function shownMoves(
  context: CommandContext,
  options: SourceOptions,
  name: string | undefined,
): Promise<void> {
  await withSource(options, context, async (database) => {
    const states = new MoveStates(database);
    const moves = name === undefined ? await states.list() : [await states.read(name)];
    context.terminal.result({ moves }, (shown) =>
      shown.moves.length === 0
        ? "No table of this database moves."
        : shown.moves.map((move) => stateView(move, STAGES[move.stage])).join("\n"),
    );
  });
}
