/**
 * Which entries of the log are without their texts, and which of them a later entry said would go (forgetting.ts). Of
 * the others somebody has taken the text away, so that nobody sees what they said.
 */
import type { PositionRange } from "../stores/audit-log.ts";
import type { EntryText } from "./entry.ts";
import { announcedBy, isKept } from "./forgetting.ts";
import { PositionSet, positionsText } from "./positions.ts";

/** Of ranges, so many are named. */
const NAMED = 20;

/** Texts, as they are come upon. */
export class VerifiedTexts {
  readonly #forgotten = new PositionSet();
  readonly #announced = new PositionSet();
  readonly #kept = new PositionSet();

  /** The next entry; null: it has no text. */
  take(entry: EntryText | null, position: number): void {
    const own = { from: position, to: position + 1 };
    if (entry === null) {
      this.#forgotten.add(own);
      return;
    }
    if (isKept(entry)) this.#kept.add(own);
    // What comes later was not there when it was said.
    for (const { from, to } of announcedBy(entry)) this.#announced.add({ from, to: Math.min(to, position) });
  }

  get forgotten(): PositionSet {
    return this.#forgotten;
  }

  /** Whether texts may go while they are looked at: an entry has said that some do. */
  get isAnnounced(): boolean {
    return this.#announced.ranges.length > 0;
  }

  /** Entries whose texts are gone, and that no later entry has named. */
  get unsaid(): readonly PositionRange[] {
    return this.#forgotten.without(this.#announced);
  }

  /** What is wrong, with the first entry concerned. */
  get problems(): readonly { readonly position: number; readonly message: string }[] {
    const { unsaid } = this;
    const problems = unsaid.slice(0, NAMED).map(({ from, to }) => ({
      position: from,
      message: `${entriesOf({ from, to })} no text, and no later entry says that it was forgotten`,
    }));
    const [more] = unsaid.slice(NAMED);
    if (more !== undefined)
      problems.push({ position: more.from, message: `${unsaid.length - NAMED} more ranges of entries are like that` });
    for (const range of this.#kept.ranges.filter((kept) => this.#announced.hasWithin(kept)).slice(0, NAMED))
      problems.push({
        position: range.from,
        message: `of ${positionsText([range])} an entry says that it is forgotten, and entries like that are kept`,
      });
    return problems;
  }
}

const entriesOf = (range: PositionRange): string =>
  range.to === range.from + 1 ? `entry ${range.from} has` : `entries ${positionsText([range])} have`;
