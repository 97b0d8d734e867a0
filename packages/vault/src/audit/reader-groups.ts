/**
 * Entries that stand for themselves, written in groups: while one append is under way the others wait, and make the
 * next group. So a read waits for one durable commit, and a thousand reads at once for a few. Whoever may not be read
 * about any more is told by the append itself; the entries of the others are numbered and sent anew.
 */
import { isVaultError, VaultError } from "../errors.ts";
import { subjectClosed } from "../records/people.ts";
import type { AppendResult, Outbox, OutboxEntry } from "../stores/outbox.ts";
import type { SubjectId, SubjectState } from "../stores/subjects.ts";
import type { AuditKeys } from "./audit-keys.ts";
import type { NumberedOutcome } from "./auditor.ts";
import { entryOf } from "./draft.ts";
import type { Draft } from "./draft.ts";
import { placeIn } from "./lanes.ts";
import type { Lanes } from "./lanes.ts";
import { unavailable } from "./unavailable.ts";

/** Most readers who wait for one group, and most bytes of its texts. */
const GROUP_READERS = 256;
const GROUP_BYTES: number = 1024 * 1024;
/** Of so many or more that come together, and by so much more than the group before, only a half goes first. */
const HALVED_READERS = 16;
const HALVED_ABOVE = 1.5;
/** Streams that are tried one after another, when each turns out to be closed or written to by somebody else. */
const STREAM_ATTEMPTS = 4;

/** How many appends there were, and of how many entries. */
export interface GroupCounts {
  readonly appends: number;
  readonly entries: number;
}

/** An entry that waits for its group. */
interface Waiting {
  readonly draft: Draft;
  readonly active: readonly SubjectId[];
  /** How many wait for it. */
  readonly readers: number;
  readonly resolve: () => void;
  readonly reject: (error: VaultError) => void;
}

/** The groups of one outbox. */
export class ReaderGroups {
  readonly #outbox: Outbox;
  readonly #lanes: Lanes;
  readonly #keys: AuditKeys;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #isClosed = false;
  #lastReaders = 0;
  #appends = 0;
  #entries = 0;

  constructor(outbox: Outbox, lanes: Lanes, keys: AuditKeys) {
    this.#outbox = outbox;
    this.#lanes = lanes;
    this.#keys = keys;
  }

  /**
   * Resolves when the entry is durable, and everybody in `active` was active then.
   *
   * @param readers how many wait for it
   * @throws VaultError `audit-unavailable`, `subject-restricted`, `subject-erased`; `record-tampered`: somebody has no
   *   row
   */
  write(draft: Draft, active: readonly SubjectId[] = [], readers: number = 1): Promise<void> {
    if (this.#isClosed) return Promise.reject(new VaultError("store-closed", "The vault was closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, active, readers, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  counts(): GroupCounts {
    return { appends: this.#appends, entries: this.#entries };
  }

  /** Takes nothing on any more; resolves when nothing waits. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // Who asks in the same turn is in the same group.
    await Promise.resolve();
    // Readers that go on together would all wait while their group is written, and then all work while nothing is. In
    // two halves some work while the others wait.
    const all = readersOf(this.#waiting);
    const isHalved = all >= HALVED_READERS && all > HALVED_ABOVE * this.#lastReaders;
    let most = isHalved ? Math.min(Math.ceil(all / 2), GROUP_READERS) : GROUP_READERS;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupLength(this.#waiting, most));
      most = GROUP_READERS;
      this.#lastReaders = readersOf(group);
      try {
        await this.#append(group);
      } catch (error) {
        for (const { reject } of group) reject(unavailable("The audit's outbox did not take an entry", error));
      }
    }
    this.#running = null;
  }

  /** Each of a group is told what became of it, unless this throws: then it is one thing for all. */
  async #append(group: readonly Waiting[]): Promise<void> {
    let left = group;
    for (let attempt = 1; left.length > 0 && attempt <= STREAM_ATTEMPTS;) {
      const some = left;
      const result = await this.#appendOnce(some);
      if (result.kind === "made") {
        this.#appends++;
        this.#entries += some.length;
        for (const { resolve } of some) resolve();
        return;
      }
      if (result.kind === "stream-moved") attempt++;
      else left = withoutClosed(some, result);
    }
    for (const { reject } of left) reject(unavailable("Streams of the audit's outbox are not where they were left"));
  }

  async #appendOnce(group: readonly Waiting[]): Promise<AppendResult> {
    const active = everybody(group);
    return this.#lanes.numbered(group.length, async (place) => {
      const entries = group.map(({ draft }, index) => entryOf(draft, placeIn(place, index), this.#keys));
      const result = await this.#settled(entries, active);
      return { outcome: OUTCOMES[result.kind], result };
    });
  }

  /** Where the answer was lost, the stream tells whether the entries were written. */
  async #settled(entries: readonly OutboxEntry[], active: readonly SubjectId[]): Promise<AppendResult> {
    try {
      return await this.#outbox.append(entries, active);
    } catch (error) {
      const last = entries.at(-1);
      // Not there yet is not never: then it stays unknown, and its lane is left.
      if (last !== undefined && isLost(error) && (await this.#isLast(last))) return MADE;
      throw error;
    }
  }

  /** Nobody else writes to the stream. False also where it cannot be asked. */
  async #isLast({ stream, number }: OutboxEntry): Promise<boolean> {
    try {
      const [row = null] = await this.#outbox.streams([stream]);
      return row?.last === number;
    } catch {
      return false;
    }
  }
}

const OUTCOMES: Readonly<Record<AppendResult["kind"], NumberedOutcome>> = {
  made: "made",
  "stream-moved": "moved",
  "subjects-closed": "not-made",
};

const MADE: AppendResult = { kind: "made" };

const isLost = (error: unknown): boolean => isVaultError(error) && error.code === "outcome-unknown";

const readersOf = (waiting: readonly Waiting[]): number => waiting.reduce((sum, { readers }) => sum + readers, 0);

/** How many of those that wait make the next group: at least one. */
function groupLength(waiting: readonly Waiting[], mostReaders: number): number {
  let [bytes, all] = [0, 0];
  const most = waiting.findIndex(
    ({ draft, readers }) => (bytes += draft.bytes) > GROUP_BYTES || (all += readers) > mostReaders,
  );
  return most === -1 ? waiting.length : Math.max(1, most);
}

/** Everybody whom a group is about, each once. */
function everybody(group: readonly Waiting[]): readonly SubjectId[] {
  const [first, ...others] = group;
  if (others.length === 0) return [...new Set(first?.active)];
  const all = new Set<SubjectId>();
  for (const { active } of group) for (const id of active) all.add(id);
  return [...all];
}

/** Those of a group who are not about anybody who may not be read about; the others are told. */
function withoutClosed(
  group: readonly Waiting[],
  { closed }: Extract<AppendResult, { readonly kind: "subjects-closed" }>,
): readonly Waiting[] {
  const states = new Map(closed.map(({ id, state }) => [id, state]));
  const left: Waiting[] = [];
  for (const waiting of group) {
    const id = waiting.active.find((one) => states.has(one));
    if (id === undefined) left.push(waiting);
    else waiting.reject(closedFor(states.get(id) ?? null));
  }
  // A store that names nobody of the group would be asked for ever.
  if (left.length === group.length) throw unavailable("The audit's outbox refused entries for people of no entry");
  return left;
}

function closedFor(state: Exclude<SubjectState, "active"> | null): VaultError {
  if (state !== null) return subjectClosed(state);
  return new VaultError("record-tampered", "The row of a person whom the version is about is missing");
}
