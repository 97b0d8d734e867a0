/**
 * Whether what many writers saw of records can have happened one after the other (linearizability). The numbers of the
 * versions that are there at the end say in which order a record's writes were made, so that the check is exact and
 * needs no search: each version must have been made at some moment within its write, after the version before it, not
 * after the end of anything that saw it, and not before the beginning of anything that still saw the one before.
 */

/** What one call was answered. */
export type Answer =
  /** A write: this version is made. A read, or a write that met it: this version was seen; 0: no record. */
  | { readonly kind: "made" | "seen"; readonly version: number; readonly token: string | null }
  /** A write: nothing of it is stored. */
  | { readonly kind: "refused"; readonly code: string }
  /** A write: it may be stored or not. */
  | { readonly kind: "unknown" };

/** One call of one writer. Times are microseconds of one clock that all processes of the machine share. */
export interface Call {
  readonly record: string;
  /** What a write would store, unlike every other one's; null: it reads. */
  readonly token: string | null;
  /** The version on which the write builds; null: on whatever is there. */
  readonly base: number | null;
  /** Writes of one transaction have one name. */
  readonly batch: string | null;
  readonly began: number;
  /** Null: its process was killed before it had an answer. */
  readonly ended: number | null;
  readonly answer: Answer;
}

/** What is there at the end: record -> the tokens of its versions 1, 2, 3... */
export type Stored = ReadonlyMap<string, readonly string[]>;

/** What is wrong with a history: nothing, when it is empty. */
export function problemsOf(calls: readonly Call[], stored: Stored): readonly string[] {
  const places = placesOf(stored);
  const perRecord = Map.groupBy(calls, ({ record }) => record);
  return [
    ...[...places].filter(([, found]) => found.length > 1).map(([token]) => `${token} is stored twice`),
    ...calls.flatMap((call) => problemsOfCall(call, stored, places)),
    ...problemsOfBatches(calls, places),
    ...[...stored].flatMap(([record, tokens]) => problemsOfOrder(record, tokens, perRecord.get(record) ?? [])),
  ];
}

interface Place {
  readonly record: string;
  readonly version: number;
}

function placesOf(stored: Stored): ReadonlyMap<string, readonly Place[]> {
  const places = new Map<string, Place[]>();
  for (const [record, tokens] of stored)
    tokens.forEach((token, index) => {
      const place = { record, version: index + 1 };
      places.set(token, [...(places.get(token) ?? []), place]);
    });
  return places;
}

function problemsOfCall(
  { record, token, base, answer }: Call,
  stored: Stored,
  places: ReadonlyMap<string, readonly Place[]>,
): readonly string[] {
  const problems: string[] = [];
  const tokens = stored.get(record) ?? [];
  const [place] = token === null ? [] : (places.get(token) ?? []);
  if (answer.kind === "made" && tokens[answer.version - 1] !== token)
    problems.push(`${record}: ${token} was acknowledged as version ${answer.version} and is not that`);
  if (answer.kind === "refused" && place !== undefined)
    problems.push(`${record}: ${token} was refused with ${answer.code} and is stored as version ${place.version}`);
  if (answer.kind === "seen" && token !== null && place !== undefined)
    problems.push(
      `${record}: ${token} was told that another version is there, and is stored as version ${place.version}`,
    );
  if (answer.kind === "seen" && answer.token !== null && tokens[answer.version - 1] !== answer.token)
    problems.push(`${record}: version ${answer.version} was read as ${answer.token} and is not that`);
  if (place !== undefined && base !== null && place.version !== base + 1)
    problems.push(`${record}: ${token} was built on version ${base} and is stored as version ${place.version}`);
  return problems;
}

/** Of a batch all is stored or nothing. */
function problemsOfBatches(calls: readonly Call[], places: ReadonlyMap<string, readonly Place[]>): readonly string[] {
  const batches = Map.groupBy(
    calls.filter(({ batch, token }) => batch !== null && token !== null),
    ({ batch }) => batch!,
  );
  return [...batches].flatMap(([batch, members]) => {
    const there = members.filter(({ token }) => places.has(token!)).length;
    return there === 0 || there === members.length
      ? []
      : [`of batch ${batch} ${there} of ${members.length} are stored`];
  });
}

/** Moments for the versions, each as early as it can be: when one of them is too late, there are none. */
function problemsOfOrder(record: string, tokens: readonly string[], calls: readonly Call[]): readonly string[] {
  const writes = new Map(calls.filter(({ token }) => token !== null).map((call) => [call.token!, call]));
  /** Version -> what saw it, and did not write it. */
  const seen = Map.groupBy(
    calls.filter(({ answer }) => answer.kind === "seen"),
    ({ answer }) => (answer.kind === "seen" ? answer.version : 0),
  );
  let moment = 0;
  for (let version = 1; version <= tokens.length; version++) {
    const token = tokens[version - 1]!;
    const write = writes.get(token);
    if (write === undefined) return [`${record}: version ${version} holds ${token}, which nobody wrote`];
    moment = latest([moment, write.began, ...(seen.get(version - 1) ?? []).map(({ began }) => began)]);
    const last = earliest([
      ...(write.answer.kind === "made" ? [write.ended] : []),
      ...(seen.get(version) ?? []).map(({ ended }) => ended),
    ]);
    if (moment > last)
      return [`${record}: version ${version} cannot have been made at any moment (${moment - last} us)`];
  }
  const beyond = [...seen.keys()].filter((version) => version > tokens.length);
  return beyond.map((version) => `${record}: version ${version} was seen, and there are ${tokens.length}`);
}

const latest = (moments: readonly number[]): number => moments.reduce((a, b) => Math.max(a, b), 0);
const earliest = (moments: readonly (number | null)[]): number =>
  moments.reduce<number>((a, b) => Math.min(a, b ?? Infinity), Infinity);
