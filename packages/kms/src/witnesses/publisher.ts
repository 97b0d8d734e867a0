// What keeps the witness up to date while the server runs, and what an operator is told of it.

import type { Logger } from "pino";
import { WitnessPublisher } from "@strongroom/witness/publisher";
import type { PublisherState } from "@strongroom/witness/publisher";
import type { SignedHead, Witness } from "@strongroom/witness/witness";
import { storedTree } from "../audit/tree-rows.ts";
import type { Custody } from "../store/custody.ts";

/** Whether the witness knows everything: `behind` while it is being told. */
export type WitnessState = "none" | PublisherState;

/** What is committed. */
export const headOf = ({ database: { db }, log }: Pick<Custody, "database" | "log">): SignedHead => ({
  note: log.checkpoint,
  checkpoint: log.head,
  tree: storedTree(db),
  own: (note) => log.own(note),
});

/** What keeps `witness` up to date about an opened log; an operator is told if it has nothing to hold against it. */
export function publisherFor(
  witness: Witness,
  custody: Pick<Custody, "database" | "log" | "seen">,
  logger: Logger,
): WitnessPublisher {
  const { seen } = custody;
  if (seen?.kind === "nothing") logger.warn(`${witness.name} has seen nothing yet: the audit is believed as it is`);
  if (seen?.kind === "away")
    logger.error(`${witness.name} cannot be asked (${seen.reason}): whether the audit was set back is not known`);
  return new WitnessPublisher(witness, headOf(custody), {
    seen,
    onAway: (name, error) => {
      logger.error({ err: error }, `${name} does not remember the audit`);
    },
    onBack: (name) => {
      logger.warn(`${name} is back`);
    },
  });
}
