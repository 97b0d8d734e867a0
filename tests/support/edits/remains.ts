/**
 * Why nothing tells of a change, or why a read may answer wrongly after it, by its name: the first that fits. A change
 * that none of these fits is a fault.
 */
import type { Result } from "./run.ts";

interface Reason {
  readonly fits: RegExp;
  /** Left out: either. */
  readonly when?: Result["when"];
  /** Whether it explains wrong answers: then something has to tell of them, unless `unnoticed` says why nothing can. */
  readonly wrong?: true;
  readonly unnoticed?: true;
  readonly why: string;
}

const REASONS: readonly Reason[] = [
  {
    fits: /its entries taken from the outbox$/,
    when: "waiting",
    wrong: true,
    why: "a write that is not in the log yet is held by nothing but its store: whoever takes its entry away in that second takes the write away; the sequencer finds the number that is missing in its stream (alarm and entry `gap`)",
  },
  {
    fits: /and outbox and streams of before$/,
    when: "waiting",
    wrong: true,
    unnoticed: true,
    why: "as above, with all that waited and the streams' numbers: the store is then one that never had the writes of that second. Other records whose writes went with it are refused",
  },
  {
    fits: /; the log's head (and messages )?of it set back$|; the log's head and messages gone, and the adoption not over$/,
    wrong: true,
    why: "the log's tables were changed as well: reads believe them, since to compute them anew is to read the whole log; `strongroom audit verify` does",
  },
  {
    fits: /^outbox: the last row gone, and its stream one less$|: what waits gone, and its streams as far as the log$/,
    when: "waiting",
    unnoticed: true,
    why: "the last entries of a process that has ended, before they were in the log: nothing else knows that they were there",
  },
  {
    fits: /^published less, and the key store's checkpoint of before$/,
    unnoticed: true,
    why: "the key store's checkpoint is one of the same log, and the log says that no newer one was put there: the next one is put in its place. The log itself, its streams and a witness are not touched",
  },
  {
    fits: /^audit\.log_state\.published$/,
    unnoticed: true,
    why: "lowered: the newest checkpoint is put into the key store once more",
  },
  {
    fits: /^audit\.log_state\.adopted$/,
    unnoticed: true,
    why: "said not to be over: the adoption looks at every record once more. Only what the log does not know at all is taken as it is then, and it knows all of them",
  },
  {
    fits: /^audit\.(addresses|messages)[.:]/,
    when: "waiting",
    unnoticed: true,
    why: "what the log knows of a record whose next write or removal waits: reads go by what waits, and it is replaced when that is carried",
  },
  {
    fits: /\.gate\.peer$/,
    unnoticed: true,
    why: "taken away: the stores are bound to each other anew when they are opened; whether they go together is compared by streams and checkpoint",
  },
  {
    fits: /\.gate\.(epoch|digest|min_reader|min_writer|commits)$/,
    unnoticed: true,
    why: "which key set is in force, which programs may use the store, how often it was written: it says nothing of what a row holds; a vault that names its key set is refused where that differs, and one that is open where there is less than before",
  },
  {
    fits: /\.kysely_migration/,
    unnoticed: true,
    why: "what the migrations note of themselves; whether the schema is the right one is looked at by itself",
  },
  {
    fits: /\.jobs[.:]/,
    unnoticed: true,
    why: "who does what work in the background until when: it is done once more, or later",
  },
  {
    fits: /(\.|_)at$|\.since$|updated_at$|created_at$/,
    unnoticed: true,
    why: "when something was written, which is bound to nothing; the audit's entry of the write has its time",
  },
  {
    fits: /\.(bucket|revision|wrap_set|wrap_sets|failures|past_writes)[.:]|\.(bucket|revision|wrap_set)$/,
    unnoticed: true,
    why: "the inventory of wraps and the answers about past writes: what is repaired, and when; no read depends on it",
  },
  {
    fits: /\.outbox\.(position|tag|ends)$/,
    when: "waiting",
    unnoticed: true,
    why: "a value that is read as the one that was there, or the order in which what waits is carried: what an entry says is in its text, which is authentic",
  },
  {
    fits: /\.streams(\.stream|\.last|: a row)$/,
    when: "waiting",
    unnoticed: true,
    why: "the number of a stream set back or gone, whose entries all wait yet and prove it: none of them is lost",
  },
  {
    fits: /subjects\.(subject|tenant)_ordinal$/,
    unnoticed: true,
    why: "which key of somebody has sealed last, lowered: it only matters together with a key store that was set back, which is refused by itself",
  },
  {
    fits: /\.write_id$|\.(keys|versions)\.key$|(checkpoint|log_state)\.one$/,
    unnoticed: true,
    why: "by what a row is found within its store, or a repeated write is known: no row depends on it, or the only row is found all the same",
  },
  {
    fits: /^audit\.(spans|log_state\.forgotten|delivered\.ended)|streams in the log ended$/,
    unnoticed: true,
    why: "by these the log finds entries faster, or knows that a stream will not go on: nothing is read by them",
  },
];

/** Why a change may be unnoticed, or a wrong answer given; null: it may not. */
export function remainsOf(
  name: string,
  when: Result["when"],
  what: { readonly isWrong: boolean; readonly isUnnoticed: boolean },
): string | null {
  const found = REASONS.find(
    (reason) =>
      reason.fits.test(name) &&
      (reason.when ?? when) === when &&
      (!what.isWrong || reason.wrong === true) &&
      (!what.isUnnoticed || reason.unnoticed === true),
  );
  return found?.why ?? null;
}
