/**
 * What a hand does to keys that is no plain exchange: a key that was retired made the newest again, one owner's key put
 * at another's id, wraps exchanged between regions; and what it does in both databases at once, so that they agree.
 */
import type { Change, Pairs } from "./changes.ts";
import { spread } from "./changes.ts";
import type { Hand, Row, Table } from "./hand.ts";
import { isSame } from "./hand.ts";

/** Columns that belong together, by table: those of a key, a name, a version. */
export const TOGETHER = {
  records: {
    versions: [
      ["record", "version"],
      ["subject", "message"],
      ["wrap_set", "message"],
    ],
    records: [["collection", "id"]],
    heads: [["version", "sealed_id"]],
  },
  keys: {
    keys: [
      ["owner", "kind"],
      ["wraps", "key_check"],
      ["wraps", "key_check", "created_at"],
      ["version", "wraps", "key_check"],
      ["version", "wraps", "key_check", "created_at", "generation"],
      ["ordinal", "generation"],
    ],
  },
} as const;

/** How one database writes the wraps of a key: parts of provider, name and ciphertext, region after region. */
export interface WrapsColumn {
  readonly read: (value: unknown) => readonly Uint8Array[];
  readonly write: (parts: readonly Uint8Array[]) => unknown;
}

/** Each part behind its length in four bytes. */
export const LENGTH_PREFIXED: WrapsColumn = {
  read: (value) => {
    const bytes = Buffer.from(value as Uint8Array);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at))
      parts.push(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at)));
    return parts;
  },
  write: (parts) =>
    Buffer.concat(
      parts.flatMap((part) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(part.length);
        return [length, part];
      }),
    ),
};

/** All of it. */
export function keyChanges(
  hands: Readonly<Record<"records" | "keys", Hand>>,
  wraps: WrapsColumn,
  pairs: Pairs,
): readonly Change[] {
  const keys = hands.keys.tables.find(({ name }) => name === "keys")!.rows;
  const put = (kind: string, gone: readonly Row[], come: readonly Row[]): Change => ({
    kind,
    edits: [{ place: "keys", table: "keys", gone, put: come }],
  });
  const families = [...Map.groupBy(keys, ({ owner, kind }) => `${String(owner)} ${String(kind)}`).values()].map(
    (family) => family.toSorted((one, other) => Number(one["ordinal"]) - Number(other["ordinal"])),
  );
  const retired = families
    .filter(({ length }) => length > 1)
    .map((family) => [family.at(-1)!, family.at(-2)!] as const);
  const pairsOfOwners = keys.flatMap((one) =>
    keys
      .filter((other) => one["kind"] === other["kind"] && one["owner"] !== other["owner"])
      .map((other) => [one, other] as const),
  );
  const raised = (row: Row, by: number): Row => ({ ...row, ordinal: BigInt(Number(row["ordinal"]) + by) });
  const others = (row: Row): readonly Row[] =>
    keys.filter((key) => key["owner"] === row["owner"] && key["kind"] === row["kind"]);
  return [
    ...retired.flatMap(([newest, before]) => [
      put("a retired key's ordinal raised above the newest", [before], [raised(before, 2)]),
      put("the newest key deleted", [newest], []),
      put(
        "the newest key deleted, and a retired one given its ordinal",
        [newest, before],
        [{ ...before, ordinal: newest["ordinal"] }],
      ),
    ]),
    ...keys.flatMap((key) => [
      put("a key's ordinal raised", [key], [raised(key, 1)]),
      put("a key's generation raised", [key], [{ ...key, generation: BigInt(Number(key["generation"]) + 1) }]),
      put("a key's generation made that of shared keys", [key], [{ ...key, generation: 0n }]),
      put("all of a key deleted", others(key), []),
    ]),
    ...spread(pairsOfOwners, pairs).flatMap(([one, other]) => {
      const moved = { ...one, key: other["key"], owner: other["owner"], ordinal: other["ordinal"] };
      return [
        put("one owner's key in place of another's", [other], [moved]),
        put(
          "one owner's key in place of another's, under that one's version",
          [other],
          [{ ...moved, version: other["version"] }],
        ),
        put(
          "one owner's key in place of another's, under that one's version and check",
          [other],
          [{ ...moved, version: other["version"], key_check: other["key_check"] }],
        ),
        put("one owner's key above another's", [], [{ ...raised(moved, 1), key: BigInt(keys.length + 1000) }]),
      ];
    }),
    ...wrapChanges(keys, wraps, pairs).map(([kind, gone, come]) => put(kind, gone, come)),
    ...bothChanges(hands, retired, pairs),
  ];
}

/** Wraps of one key exchanged between regions, and of one region between keys. */
function wrapChanges(
  keys: readonly Row[],
  { read, write }: WrapsColumn,
  pairs: Pairs,
): readonly (readonly [string, readonly Row[], readonly Row[]])[] {
  const with_ = (row: Row, parts: readonly Uint8Array[]): Row => ({ ...row, wraps: write(parts) });
  const part = (row: Row, region: number, index: number): Uint8Array => read(row["wraps"])[3 * region + index]!;
  const wrapped = keys.filter((key) => read(key["wraps"]).length === 9);
  const between = wrapped.flatMap((one, index) => wrapped.slice(index + 1).map((other) => [one, other] as const));
  return [
    ...wrapped.flatMap((key) => {
      const parts = read(key["wraps"]);
      const [first, second] = [part(key, 0, 2), part(key, 1, 2)];
      return [
        ["wraps of a key exchanged between regions", [key], [with_(key, parts.with(2, second).with(5, first))]],
        ["a region's wrap in every region's place", [key], [with_(key, parts.with(5, first).with(8, first))]],
        ["a region's wrap taken away", [key], [with_(key, parts.slice(3))]],
      ] as const;
    }),
    ...spread(between, pairs).flatMap(([one, other]) => {
      const exchanged = (row: Row, from: Row, regions: readonly number[]): Row =>
        with_(
          row,
          regions.reduce((parts, region) => parts.with(3 * region + 2, part(from, region, 2)), [...read(row["wraps"])]),
        );
      return [[0], [0, 1], [1, 2]].map(
        (regions) =>
          [
            `${regions.length === 1 ? "one region's wrap" : "two regions' wraps"} exchanged between keys`,
            [one, other],
            [exchanged(one, other, regions), exchanged(other, one, regions)],
          ] as const,
      );
    }),
  ];
}

/** A hand in both databases, which makes them agree. */
function bothChanges(
  { records, keys }: Readonly<Record<"records" | "keys", Hand>>,
  retired: readonly (readonly [Row, Row])[],
  pairs: Pairs,
): readonly Change[] {
  const tableOf = (hand: Hand, table: string): Table => hand.tables.find(({ name }) => name === table)!;
  const subjects = tableOf(records, "subjects").rows;
  const {
    rows: owners,
    key: [ownerKey = ""],
  } = tableOf(keys, "owners");
  const ownerOf = (subject: Row): Row | undefined => owners.find(({ name }) => isSame(name, subject["id"]));
  const people = subjects.flatMap((one, index) => subjects.slice(index + 1).map((other) => [one, other] as const));
  return [
    ...spread(people, pairs).flatMap(([one, other]): Change[] => {
      const [mine, theirs] = [ownerOf(one), ownerOf(other)];
      if (mine === undefined || theirs === undefined) return [];
      return [
        {
          kind: "two people's ids exchanged in both databases",
          edits: [
            {
              place: "records",
              table: "subjects",
              gone: [one, other],
              put: [
                { ...one, id: other["id"] },
                { ...other, id: one["id"] },
              ],
            },
            {
              place: "keys",
              table: "owners",
              gone: [mine, theirs],
              put: [
                { ...mine, name: theirs["name"] },
                { ...theirs, name: mine["name"] },
              ],
            },
          ],
        },
      ];
    }),
    ...retired.flatMap(([newest]): Change[] => {
      const owner = owners.find((row) => row[ownerKey] === newest["owner"]);
      const subject = subjects.find(({ id }) => isSame(id, owner?.["name"]));
      if (subject === undefined) return [];
      return [
        {
          kind: "the newest key deleted, and no writer of it in the other database",
          edits: [
            { place: "keys", table: "keys", gone: [newest], put: [] },
            {
              place: "records",
              table: "subjects",
              gone: [subject],
              put: [{ ...subject, subject_ordinal: 0n, tenant_ordinal: 0n }],
            },
          ],
        },
      ];
    }),
  ];
}
