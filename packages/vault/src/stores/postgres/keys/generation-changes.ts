/**
 * What a new shredding generation changes besides wraps: versions of keys that nothing hangs on go, and names get other
 * hashes. Rare, and each at the epoch that it was decided at: the shared lock of the gate is taken first, and the epoch
 * looked at in a later statement, as by every write (../functions/statements.ts).
 */
import { STORE_WRITER } from "../../gate.ts";
import type { Epoch } from "../../gate.ts";
import type { RewrapResult } from "../../inventory.ts";
import { takeDrop, takeRetag } from "../../key-limits.ts";
import type { KeyRows } from "../../key-store.ts";
import { isTrue, whole } from "../columns.ts";
import { statement } from "../connection.ts";
import type { Statement } from "../connection.ts";
import { sqlState } from "../errors.ts";
import { gateKey } from "../functions/statements.ts";
import { requireAccepted, writeRefusalColumn } from "../refusals.ts";
import { asBuffer } from "../sent-bytes.ts";
import type { KeyContext } from "./write-keys.ts";

/** Every statement answers `refusal`, the epoch of the gate, and `done`: whether a row was changed. */
export function generationChanges(context: KeyContext): Pick<KeyRows, "drop" | "retag"> {
  const { connections, schema, vault, lockTimeoutMs } = context;
  const hold = statement(`select pg_advisory_xact_lock_shared(${gateKey("$1::text", "$2::bigint")})`);
  // `for share`: under a snapshot that is older than a flip this is an error, and no late row.
  const gate = `gate as materialized (select g.id, g.epoch, g.min_reader, g.min_writer from ${schema}.vault g for share)`;
  const asked = `${writeRefusalColumn("$1::text")}, g.epoch, exists (select from changed) as done from gate g`;
  const isOpen = `exists (
    select from gate where id = $1::text and epoch = $2::bigint and min_writer <= ${STORE_WRITER})`;
  const drop = statement(`
    with ${gate}, changed as (
      delete from ${schema}.keys k using ${schema}.owners o
      where ${isOpen} and o.key = k.owner and k.kind = $3::text and o.name = $4::text and k.version = $5::uuid
        and k.wrap_set = $6::integer and k.revision = $7::bigint
      returning k.key),
    forgotten as (delete from ${schema}.failures f using changed c where f.key = c.key)
    select ${asked}`);
  const retag = statement(`
    with ${gate}, changed as (
      update ${schema}.names n set tag = $5::bytea from ${schema}.owners o
      where ${isOpen} and o.key = n.owner and o.name = $3::text and o.erased_at is null and n.tag = $4::bytea
        and not exists (select from ${schema}.names t where t.tag = $5::bytea)
      returning n.owner)
    select ${asked}`);

  async function change(made: Statement, epoch: Epoch, values: readonly unknown[]): Promise<RewrapResult> {
    const rows = await connections.transaction(lockTimeoutMs, async (connection) => {
      await connection.query(hold, [vault, epoch], { isNamed: false });
      try {
        return await connection.query(made, [vault, epoch, ...values], { isNamed: false });
      } catch (error) {
        // Whoever made that name at the same moment has it: what is committed then is nothing.
        if (sqlState(error) === "23505") return null;
        throw error;
      }
    });
    if (rows === null) return { kind: "overtaken" };
    const row = requireAccepted(rows);
    const now = (whole(row["epoch"], 0) ?? 0) as Epoch;
    if (now !== epoch) return { kind: "gate-moved", epoch: now };
    return { kind: isTrue(row["done"]) ? "made" : "overtaken" };
  }

  return {
    drop: async (given) => {
      const { place, seen, epoch } = takeDrop(given);
      return change(drop, epoch, [place.kind, place.owner, place.version, seen.wrapSet, seen.revision]);
    },
    retag: async (given) => {
      const { id, seen, tag, epoch } = takeRetag(given);
      return change(retag, epoch, [id, asBuffer(seen), asBuffer(tag)]);
    },
  };
}
