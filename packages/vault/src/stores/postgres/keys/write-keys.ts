/**
 * Makes and erases keys and people: each call one statement, as long as no owner and no name comes in it twice.
 */
import { VaultError } from "../../../errors.ts";
import { bucketOf } from "../../bucket.ts";
import { STORE_WRITER } from "../../gate.ts";
import type { Epoch } from "../../gate.ts";
import { takeCreations, takeErasure } from "../../key-limits.ts";
import type { Creation, CreationResult, KeyRows } from "../../key-store.ts";
import { wrapsForm } from "../../key-wraps.ts";
import { isSubjectId } from "../../subjects.ts";
import { wrapSetForm } from "../../wrap-set.ts";
import type { WrapSet } from "../../wrap-set.ts";
import { text, whole } from "../columns.ts";
import type { Columns } from "../columns.ts";
import { placeholders, statement } from "../connection.ts";
import type { Connections } from "../connection.ts";
import { requireAccepted } from "../refusals.ts";
import type { SchemaName } from "../schema-name.ts";
import { asBuffer, cutBySize } from "../sent-bytes.ts";
import { digestsOf, milliseconds } from "../units.ts";
import { internArguments, internStatement } from "../wrap-sets.ts";

/** What the changes of one key store need. */
export interface KeyContext {
  readonly connections: Connections;
  readonly schema: SchemaName;
  /** The id that the database must have. */
  readonly vault: string;
  readonly lockTimeoutMs: number;
}

export function keyChanges({
  connections,
  schema,
  vault,
  lockTimeoutMs,
}: KeyContext): Pick<KeyRows, "create" | "erase"> {
  const create = statement(`select result, epoch, person from ${schema}.create_v1(${placeholders(16)})`);
  const erase = statement(`select result from ${schema}.erase_v1(${placeholders(5)})`);
  const intern = internStatement(schema);
  const common = [vault, STORE_WRITER, Math.ceil(lockTimeoutMs)];

  async function send(creations: readonly Creation[]): Promise<readonly CreationResult[]> {
    const values = [...common, ...creationArguments(creations)];
    for (let attempt = 1; attempt <= 2; attempt++) {
      const rows = await connections.run(create, values, "unknown");
      if (requireAccepted(rows, "result")["result"] !== "set-unknown")
        return creations.map((_, at) => result(rows[at]));
      await connections.run(intern, internArguments(setsOf(creations)), "repeat");
    }
    throw new VaultError("store-altered", "A wrap set that was written is not there");
  }

  return {
    async create(given) {
      const own = takeCreations(given);
      const results = new Map<Creation, CreationResult>();
      for (const creations of statementsOf(own)) {
        const made = await send(creations);
        for (const [at, creation] of creations.entries()) results.set(creation, made[at] ?? result(undefined));
      }
      return own.map((creation) => results.get(creation) ?? result(undefined));
    },
    async erase(given, at) {
      const { ids, at: when } = takeErasure(given, at);
      if (ids.length === 0) return;
      requireAccepted(await connections.run(erase, [...common, ids, milliseconds(when)], "repeat"), "result");
    },
  };
}

const ownerOf = ({ name, key }: Creation): string => name?.id ?? key?.owner ?? "";

/** Cut where the wraps of one statement would be too large, and where an owner or a name comes again. */
function statementsOf(creations: readonly Creation[]): readonly (readonly Creation[])[] {
  const rounds: Creation[][] = [];
  const next = new Map<string, number>();
  for (const creation of creations) {
    const names = [ownerOf(creation), ...(creation.name === null ? [] : [`tag ${hex(creation.name.tag)}`])];
    const round = names.reduce((latest, name) => Math.max(latest, next.get(name) ?? 0), 0);
    for (const name of names) next.set(name, round + 1);
    (rounds[round] ??= []).push(creation);
  }
  return rounds.flatMap((round) => cutBySize(round, bytesOf));
}

const bytesOf = ({ key }: Creation): number =>
  (key?.wraps ?? []).reduce((sum, { info, ciphertext }) => sum + info.length + ciphertext.length, 0);

const hex = (bytes: Uint8Array): string => asBuffer(bytes).toString("hex");

/** The arguments of `create_v1` behind the first three, in its order. */
function creationArguments(creations: readonly Creation[]): unknown[] {
  const digests = digestsOf();
  const keys = creations.map(({ key }) => key);
  const names = creations.map(({ name }) => name);
  return [
    creations.map(ownerOf),
    creations.map(({ epoch }) => epoch),
    names.map((name) => (name === null ? null : asBuffer(name.tag))),
    names.map((name) => (name === null ? null : asBuffer(name.sealed))),
    keys.map((key) => key?.kind ?? null),
    keys.map((key) => key?.version ?? null),
    keys.map((key) => key?.ordinal ?? null),
    keys.map((key) => key?.generation ?? null),
    keys.map((key) => (key === null ? null : milliseconds(key.createdAt))),
    keys.map((key) => (key === null ? null : digests(key.wrapSet))),
    keys.map((key) => (key === null ? null : bucketOf({ collection: key.kind, id: key.owner }))),
    keys.map((key) => (key === null ? null : asBuffer(key.check))),
    keys.map((key) => (key === null ? null : wrapsForm(key.wraps))),
  ];
}

/** The wrap sets of keys, each distinct one once. */
function setsOf(creations: readonly Creation[]): readonly WrapSet[] {
  const sets = creations.flatMap(({ key }) => (key === null ? [] : [key.wrapSet]));
  return [...new Map(sets.map((set) => [wrapSetForm(set), set])).values()];
}

function result(row: Columns | undefined): CreationResult {
  const kind = text(row?.["result"]);
  switch (kind) {
    case "made":
    case "erased":
      return { kind };
    case "gate-moved":
      return { kind, epoch: (whole(row?.["epoch"], 0) ?? 0) as Epoch };
    case "exists": {
      const person = row?.["person"];
      if (person === null || isSubjectId(person)) return { kind, id: person };
      break;
    }
    default:
  }
  throw new VaultError("store-altered", "The database answered what no key store answers");
}
