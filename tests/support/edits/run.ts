/**
 * All changes of a vault's three files, one after the other.
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { TestContext } from "node:test";
import { spread } from "../swaps/changes.ts";
import type { Row } from "../swaps/hand.ts";
import { columnChanges } from "./columns.ts";
import { WHEN } from "./moments.ts";
import type { Moments, When } from "./moments.ts";
import { tableOf } from "./record-rows.ts";
import { rollbacks } from "./rollbacks.ts";
import { closeAll, handsIn, PLACES, sqliteSite } from "./site.ts";
import type { Hands, Place } from "./site.ts";
import { changesTogether } from "./together.ts";
import { play, playApart } from "./trial.ts";
import type { Change } from "./change.ts";
import type { Outcome } from "./trial.ts";

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
  /** So many of a section's changes, spread over all; left out: all of them, and of what is changed in files of its own. */
  readonly most?: Readonly<Record<Section, number>>;
  /** Stores whose columns are changed; left out: all. */
  readonly places?: readonly Place[];
  /** Sections that are tried; left out: all. */
  readonly sections?: readonly Section[];
}

/** Rows that a hand neither sees nor puts back: what migrations note, and numbers that only grow. */
const LEFT_ALONE = /^(sqlite_|kysely_|gate$|move$)/;
/** Of these each change has files of its own: an open store refuses them when they go back. */
const OWN_FILES = /^(gate|move|kysely_.*)$/;

/** Tries everything. @param tell is told of each */
export async function tryAll(
  t: TestContext,
  moments: Moments,
  extent: Extent,
  tell: (result: Result) => void = () => undefined,
): Promise<readonly Result[]> {
  const kept = { first: handsIn(moments.first, LEFT_ALONE), before: handsIn(moments.before, LEFT_ALONE) };
  const later = handsIn(moments.waiting, LEFT_ALONE);
  const outboxOf = ({ records }: Hands): readonly Row[] => tableOf(records, "outbox").rows;
  const entries = [...outboxOf(kept.first), ...outboxOf(later)];
  const results: Result[] = [];
  const add = (result: Result): void => {
    results.push(result);
    tell(result);
  };
  for (const when of WHEN) {
    const site = await sqliteSite(moments[when], join(moments.root, `tried-${when}`), LEFT_ALONE);
    try {
      const { before } = kept;
      const all: Readonly<Record<Section, readonly Change[]>> = {
        "one record": rollbacks({ now: site.hands.records, before: before.records, entries }, extent.records),
        // Some of what waits is in the outboxes then, and some in the log.
        "one column":
          when === "carried"
            ? []
            : (extent.places ?? PLACES).flatMap((place) => columnChanges(place, site.hands[place], extent.rows)),
        together: changesTogether({ now: site.hands, before, entries }, when),
      };
      for (const section of extent.sections ?? SECTIONS)
        for (const change of spread(all[section], extent.most?.[section] ?? "all")) {
          const outcome = await play({ site, make: moments.make, key: moments.key, when }, change);
          add({ section, when, change, outcome });
          await setImmediate();
        }
    } finally {
      await site.close();
    }
  }
  await ownFiles(moments, extent, add);
  await closeAll(kept.first);
  await closeAll(kept.before);
  await closeAll(later);
  t.diagnostic(`${results.length} changes`);
  return results;
}

/** Changes of what only grows, each in files of its own. */
async function ownFiles(
  moments: Moments,
  { rows, most, places = PLACES }: Extent,
  add: (result: Result) => void,
): Promise<void> {
  if (most !== undefined) return;
  const when = "carried";
  const hands = handsIn(moments[when], /^sqlite_/);
  const changes = places.flatMap((place) =>
    columnChanges(place, { tables: hands[place].tables.filter(({ name }) => OWN_FILES.test(name)) }, rows),
  );
  await closeAll(hands);
  for (const [index, change] of changes.entries()) {
    const outcome = await playApart(moments, { when, change, name: `own-${places.join("-")}-${index}` });
    add({ section: "one column", when, change, outcome });
  }
}
