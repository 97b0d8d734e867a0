/**
 * All changes of a vault's three stores, one after the other.
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { spread } from "../swaps/changes.ts";
import type { Row } from "../swaps/hand.ts";
import { columnChanges } from "./columns.ts";
import { WHEN } from "./moments.ts";
import type { Moments, When } from "./moments.ts";
import type { PostgresMoments } from "./postgres.ts";
import { tableOf } from "./record-rows.ts";
import { rollbacks } from "./rollbacks.ts";
import { closeAll, handsIn, PLACES, putBack, sqliteSite } from "./site.ts";
import type { Hands, Site } from "./site.ts";
import { changesTogether } from "./together.ts";
import { play, playApart } from "./trial.ts";
import type { Change } from "./change.ts";
import type { Outcome, TrialParts } from "./trial.ts";

export const SECTIONS = ["one record", "one column", "together"] as const;
export type Section = (typeof SECTIONS)[number];

/** One change that was tried. */
export interface Result {
  readonly section: Section;
  readonly when: When;
  readonly change: Change;
  readonly outcome: Outcome;
}

/** How much is tried. */
export interface Extent {
  /** Records that each rollback is tried on. */
  readonly records: number;
  /** Rows that each column is changed in. */
  readonly rows: number;
  /** So many of a section's changes, spread over all. */
  readonly most: Readonly<Record<Section, number>> | "all";
}

/** Where changes are tried: stores as they are at each moment, and copies of what was there before. */
interface Ground extends Pick<TrialParts, "make" | "key"> {
  readonly before: Hands;
  /** Rows of the records' outbox of both steps, from when they waited. */
  readonly entries: readonly Row[];
  readonly at: (when: When) => Promise<Site>;
}

/** Is told of each change that was tried. */
export type Tell = (result: Result) => void;

/** Rows that a hand neither sees nor puts back: what migrations note, and numbers that only grow. */
const LEFT_ALONE = /^(sqlite_|kysely_|gate$|move$)/;
/** Of these each change has files of its own: an open store refuses them when they go back. */
const OWN_FILES = /^(gate|move|kysely_.*)$/;

const outboxOf = ({ records }: Hands): readonly Row[] => tableOf(records, "outbox").rows;

/** Tries everything in files. */
export async function tryFiles(moments: Moments, extent: Extent, tell: Tell): Promise<void> {
  const { root, first, before, waiting, make, key } = moments;
  const hands = [first, before, waiting].map((folder) => handsIn(folder, LEFT_ALONE));
  const [ofFirst, ofBefore, ofWaiting] = hands as [Hands, Hands, Hands];
  const ground: Ground = {
    ...{ make, key, before: ofBefore, entries: [...outboxOf(ofFirst), ...outboxOf(ofWaiting)] },
    at: (when) => sqliteSite(moments[when], join(root, `tried-${when}`), LEFT_ALONE),
  };
  await tryOn(ground, SECTIONS, extent, tell);
  for (const one of hands) await closeAll(one);
  if (extent.most === "all") await tryOwnFiles(moments, extent, tell);
}

/** Tries in schemas of PostgreSQL what is done with one record and with columns. */
export async function trySchemas(moments: PostgresMoments, extent: Extent, tell: Tell): Promise<void> {
  const { stores, make, key, first, before, waiting } = moments;
  const ground: Ground = {
    ...{ make, key, before, entries: [...outboxOf(first), ...outboxOf(waiting)] },
    at: async (when) => {
      await putBack(moments[when]);
      return { ...stores, hands: moments[when] };
    },
  };
  await tryOn(ground, ["one record", "one column"], extent, tell);
}

async function tryOn(
  { make, key, before, entries, at }: Ground,
  sections: readonly Section[],
  { records, rows, most }: Extent,
  tell: Tell,
): Promise<void> {
  for (const when of WHEN) {
    const site = await at(when);
    const { hands } = site;
    const changes: Readonly<Record<Section, () => readonly Change[]>> = {
      "one record": () => rollbacks({ now: hands.records, before: before.records, entries }, records),
      // Some of what is there waits in the outboxes then, and some is in the log.
      "one column": () =>
        when === "waiting" ? PLACES.flatMap((place) => columnChanges(place, hands[place], rows)) : [],
      together: () => changesTogether({ now: hands, before, entries }, when),
    };
    try {
      for (const section of sections)
        for (const change of spread(changes[section](), most === "all" ? most : most[section])) {
          tell({ section, when, change, outcome: await play({ site, make, key, when }, change) });
          await setImmediate();
        }
    } finally {
      await site.close();
    }
  }
}

/** Changes of what only grows, each in files of its own. */
async function tryOwnFiles(moments: Moments, { rows }: Extent, tell: Tell): Promise<void> {
  const when = "carried";
  const hands = handsIn(moments[when], /^sqlite_/);
  const changes = PLACES.flatMap((place) =>
    columnChanges(place, { tables: hands[place].tables.filter(({ name }) => OWN_FILES.test(name)) }, rows),
  );
  await closeAll(hands);
  for (const [index, change] of changes.entries()) {
    const outcome = await playApart(moments, { when, change, name: `own-${index}` });
    tell({ section: "one column", when, change, outcome });
  }
}
