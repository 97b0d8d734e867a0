/**
 * The gate's row, and the lock with which a flip waits for those who began before it.
 */
import { VaultError } from "../../errors.ts";
import { STORE_WRITER } from "../gate.ts";
import type { Epoch, Gate, GateState } from "../gate.ts";
import { text, whole } from "./columns.ts";
import { statement } from "./connection.ts";
import type { Connections, Statement } from "./connection.ts";
import { gateKey } from "./functions/statements.ts";
import { newerStore, refusalColumn, requireAccepted } from "./refusals.ts";
import type { SchemaName } from "./schema-name.ts";

/** Reads the gate of whatever vault there is. */
export const gateStatement = (schema: SchemaName): Statement =>
  statement(
    // A database on its way has no peer yet.
    `select g.*, pg_is_in_recovery() as standby from ${schema}.vault g`,
  );

/** @throws VaultError `store-altered` when there is none, or it holds what no vault writes */
export function gateState(row: Readonly<Record<string, unknown>> | undefined): GateState {
  const [vault, epoch] = [text(row?.["id"]), whole(row?.["epoch"], 0)];
  const [minReader, minWriter] = [whole(row?.["min_reader"], 0), whole(row?.["min_writer"], 0)];
  const peer = text(row?.["peer"]);
  const areIds = vault !== null && vault.length <= 64 && (peer?.length ?? 0) <= 64;
  if (!areIds || epoch === null || minReader === null || minWriter === null)
    throw new VaultError("store-altered", "The database does not say which vault it is: its gate is absent or damaged");
  return { vault, peer, epoch: epoch as Epoch, digest: text(row?.["digest"]), minReader, minWriter };
}

/** What the gate of one store needs. */
export interface GateContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  readonly vault: string;
  readonly lockTimeoutMs: number;
  /** How long a flip waits for those who began before it. */
  readonly drainTimeoutMs: number;
}

/** Waits until nobody holds an epoch below `epoch`; those of a flip that did not come so far as well. */
export function gateDrain({
  connections,
  schema,
  vault,
  drainTimeoutMs,
}: GateContext): (epoch: number) => Promise<void> {
  const undrained = statement(`select g.drained from ${schema}.vault g where g.id = $1`);
  const drain = statement(`select pg_advisory_xact_lock(${gateKey("$1::text", "$2::bigint")})`);
  const drained = statement(`update ${schema}.vault set drained = greatest(drained, $2::bigint) where id = $1`);
  return async (epoch) => {
    const [row] = await connections.run(undrained, [vault], "repeat");
    for (let held = Math.max(whole(row?.["drained"], 0) ?? 0, 0); held < epoch; held++) {
      await connections.transaction(drainTimeoutMs, async (connection) => {
        await connection.query(drain, [vault, held], { isNamed: false });
        await connection.query(drained, [vault, held + 1], { isNamed: false });
      });
    }
  };
}

export function postgresGate(context: GateContext): Gate {
  const { connections, schema, vault, lockTimeoutMs, drainTimeoutMs } = context;
  const current = statement(`
    select ${refusalColumn("$1::text")}, g.id, g.peer, g.epoch, g.digest, g.min_reader, g.min_writer from ${schema}.vault g`);
  const move = statement(`
    update ${schema}.vault set epoch = epoch + 1, digest = $3 where id = $1 and epoch = $2::bigint returning epoch`);
  const bind = statement(`
    update ${schema}.vault set peer = $2::text where id = $1::text and peer is null and min_writer <= ${STORE_WRITER}`);
  const drainBelow = gateDrain(context);

  return {
    async current() {
      const rows = await connections.run(current, [vault], "repeat");
      requireAccepted(rows);
      return gateState(rows[0]);
    },
    async flip({ from, digest }) {
      requireAccepted(await connections.run(current, [vault], "repeat"));
      // Writers in a snapshot hold the row itself, and are waited for here.
      const isMoved = await connections.transaction(
        Math.max(lockTimeoutMs, drainTimeoutMs),
        async (connection) => (await connection.query(move, [vault, from, digest], { isNamed: false })).length === 1,
      );
      if (!isMoved) return "moved";
      await drainBelow(from + 1);
      return "flipped";
    },
    async bind(peer) {
      const noted = async (): Promise<GateState> => {
        const rows = await connections.run(current, [vault], "repeat");
        requireAccepted(rows);
        return gateState(rows[0]);
      };
      // The row is locked only by whoever is first.
      const before = await noted();
      if (before.peer !== null) return before.peer;
      await connections.run(bind, [vault, peer], "repeat");
      const after = await noted();
      if (after.peer === null) throw newerStore();
      return after.peer;
    },
    async drained() {
      const rows = await connections.run(current, [vault], "repeat");
      requireAccepted(rows);
      await drainBelow(gateState(rows[0]).epoch);
    },
  };
}
