/**
 * Changes of the audit's log: an addition is one statement and one round trip.
 */
import { refused } from "../../checked.ts";
import type { Addition, AuditLog, LogState } from "../../audit-log.ts";
import { STORE_WRITER } from "../../gate.ts";
import type { Lease } from "../../jobs.ts";
import { takeAddition, takeRanges } from "../../log-limits.ts";
import { whole } from "../columns.ts";
import { placeholders, statement } from "../connection.ts";
import type { Connections } from "../connection.ts";
import { requireAccepted, writeRefusalColumn } from "../refusals.ts";
import type { SchemaName } from "../schema-name.ts";
import { cutsOf, joined } from "../sent-bytes.ts";
import { milliseconds } from "../units.ts";
import { leaseValues } from "../wrapped-versions.ts";
import { subtreesForm } from "./subtrees.ts";

/** What the changes of one log need. */
export interface LogContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  /** The id that the database must have. */
  readonly vault: string;
  readonly lockTimeoutMs: number;
}

/** Most bytes of texts in one addition: more than a message to the server holds is told before it is tried. */
const MOST_BYTES = 256 * 1024 * 1024;

export function logChanges({
  connections,
  schema,
  vault,
  lockTimeoutMs,
}: LogContext): Pick<AuditLog, "integrate" | "published" | "forget"> {
  const integrate = statement(`select result from ${schema}.integrate_v1(${placeholders(44)})`);
  const published = statement(`
    with g as (
      select ${writeRefusalColumn("$1::text")} from ${schema}.vault g),
    changed as (
      update ${schema}.log l set published = $2::bigint from g where g.refusal is null and l.published < $2::bigint
      returning l.one)
    select g.refusal, exists (select from changed) as is_changed from g`);
  const forget = statement(`select result, changed from ${schema}.forget_v1(${placeholders(5)})`);
  const common = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs)];
  return {
    async integrate(base, given, lease) {
      const addition = takeAddition(base, given);
      const values = [...common, ...additionArguments(base, addition, lease)];
      const { result } = requireAccepted(await connections.run(integrate, values, "unknown"), "result");
      return result === "integrated" ? "integrated" : "overtaken";
    },
    async published(size) {
      requireAccepted(await connections.run(published, [vault, size], "repeat"));
    },
    async forget(given) {
      const ranges = takeRanges(given);
      const values = [...common, ranges.map(({ from }) => from), ranges.map(({ to }) => to)];
      const { result, changed } = requireAccepted(await connections.run(forget, values, "repeat"), "result");
      if (result === "beyond") throw refused("positions beyond the end of the log");
      return whole(changed, 0) ?? 0;
    },
  };
}

/** The arguments of `integrate_v1` behind the first three, in its order. */
function additionArguments(base: Pick<LogState, "history" | "size">, addition: Addition, lease: Lease): unknown[] {
  const { entries, state, subtrees, heads, messages, streams, closed } = addition;
  const texts = entries.map(({ text }) => text);
  const { starts, sizes } = cutsOf(texts);
  if (sizes.reduce((sum, size) => sum + size, 0) > MOST_BYTES) throw refused("an addition of too many bytes");
  const people = entries.flatMap((entry, index) => entry.people.map((key) => ({ key, entry: index + 1 })));
  return [
    ...leaseValues(lease),
    base.history,
    base.size,
    addition.begins,
    state.history,
    state.size,
    subtreesForm(state.subtrees),
    state.checkpoint,
    state.published,
    state.adopted,
    state.forgotten,
    entries.map(({ id }) => id),
    entries.map(({ at }) => milliseconds(at)),
    entries.map(({ principal }) => principal),
    entries.map(({ action }) => action),
    entries.map(({ collection }) => collection),
    joined(entries.map(({ leaf }) => leaf)),
    starts,
    sizes,
    joined(texts),
    people.map(({ entry }) => entry),
    people.map(({ key }) => key),
    subtrees.map(({ height }) => height),
    subtrees.map(({ index }) => index),
    joined(subtrees.map(({ hash }) => hash)),
    heads.map(({ tag }) => tag),
    heads.map(({ version }) => version),
    heads.map((head) => head.state),
    heads.map(({ entry }) => entry),
    addition.removed,
    messages.map(({ tag }) => tag),
    messages.map(({ version }) => version),
    joined(messages.map(({ sha256 }) => sha256)),
    streams.map(({ outbox }) => outbox),
    streams.map(({ stream }) => stream),
    streams.map(({ number }) => number),
    streams.map(({ ended }) => ended),
    closed.map(({ outbox }) => outbox),
    closed.map(({ stream }) => stream),
  ];
}
