/**
 * Thirty records of three people, and every pairwise swap of what a hand in the database can swap: each is refused, on
 * read and on write, and nobody's document comes back under another's address.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scope, Vault, VaultErrorCode } from "@strongroom/vault";
import { isVaultError } from "@strongroom/vault";
import type { RecordRow, VersionRow } from "../../src/stores/memory/tables.ts";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";

const PEOPLE = ["ada", "bob", "cyd"];
const RECORDS = Array.from({ length: 30 }, (_, n) => ({ n, id: `r${n}`, subject: PEOPLE[n % 3]! }));
const at = (id: string) => ({ collection: "people", id });
const newest = ({ versions }: RecordRow): VersionRow => versions.at(-1)!;

/** What is swapped -> what of a record's row changes, given the other's; and by what it is refused. */
const SWAPS: readonly {
  readonly name: string;
  readonly of: (own: VersionRow, other: VersionRow) => Partial<VersionRow>;
  readonly codes: readonly VaultErrorCode[];
}[] = [
  { name: "messages", of: (_, { message }) => ({ message }), codes: ["record-moved"] },
  { name: "subjects", of: (_, { subject }) => ({ subject }), codes: ["record-moved-subject"] },
  {
    name: "messages and subjects",
    of: (_, { message, subject }) => ({ message, subject }),
    codes: ["record-moved"],
  },
  {
    name: "messages, subjects and further people",
    of: (_, { message, subject, about }) => ({ message, subject, about }),
    codes: ["record-moved"],
  },
  { name: "further people", of: (_, { about }) => ({ about }), codes: ["record-moved-subject", "record-tampered"] },
  { name: "rows but their numbers", of: ({ version }, other) => ({ ...other, version }), codes: ["record-moved"] },
];

/** A record's own document, or by what it was refused. */
async function outcome(vault: Vault, id: string): Promise<VaultErrorCode | "own"> {
  try {
    const { document } = await vault.get(at(id));
    assert.deepEqual(document, { of: id }, "no other record's document comes back");
    return "own";
  } catch (error) {
    assert.ok(isVaultError(error), String(error));
    return error.code;
  }
}

for (const scope of ["record", "subject", "tenant"] satisfies Scope[])
  describe(`in ${scope} scope`, () => {
    test("each swap between two of thirty records is refused, or has changed nothing", async (t) => {
      const { vault, change } = await keyedVault(t, { keys: { scope } });
      const items = RECORDS.map(({ n, id, subject }) => {
        const about = n % 2 === 0 ? [] : [PEOPLE[(n + 1) % 3]!, `friend-of-${n % 5}`];
        return { id, document: { of: id }, subject, about };
      });
      await vault.putMany("people", items, { onExisting: "replace" });
      const rows = new Map<string, RecordRow>();
      for (const { id } of RECORDS)
        change(at(id), (row) => {
          rows.set(id, row);
          return {};
        });
      const tried = { refused: 0, same: 0 };
      for (const { name, of, codes } of SWAPS)
        for (const { id } of RECORDS)
          for (const { id: otherId } of RECORDS.filter((other) => other.id !== id)) {
            const [own, other] = [newest(rows.get(id)!), newest(rows.get(otherId)!)];
            const changed = { ...own, ...of(own, other) };
            change(at(id), () => ({ versions: [changed] }));
            const came = await outcome(vault, id);
            const isSame = (["message", "subject"] as const).every((key) => changed[key] === own[key]);
            if (isSame && changed.about.join() === own.about.join()) {
              assert.equal(came, "own");
              tried.same += 1;
            } else {
              assert.ok(codes.includes(came as VaultErrorCode), `${name} of ${id} and ${otherId}: ${came}`);
              tried.refused += 1;
            }
            change(at(id), () => rows.get(id)!);
          }
      assert.ok(tried.refused > 4_000, JSON.stringify(tried));
      for (const { id } of RECORDS) assert.equal(await outcome(vault, id), "own");
    });

    test("what was swapped is not written over by whoever says nothing, or names the person", async (t) => {
      const { vault, change } = await keyedVault(t, { keys: { scope } });
      for (const { id, subject } of RECORDS.slice(0, 3)) await vault.put(at(id), { of: id }, { subject });
      const rows = new Map<string, RecordRow>();
      for (const { id } of RECORDS.slice(0, 3))
        change(at(id), (row) => {
          rows.set(id, row);
          return {};
        });
      for (const { name, of } of SWAPS.filter(({ name }) => name !== "further people")) {
        const [own, other] = [newest(rows.get("r0")!), newest(rows.get("r1")!)];
        change(at("r0"), () => ({ versions: [{ ...own, ...of(own, other) }] }));
        for (const options of [{}, { subject: "ada" }, { subject: "bob" }, { subject: "bob", repoint: true }])
          await assert.rejects(vault.put(at("r0"), {}, options), { name: "VaultError" }, name);
        const [batch] = await vault.putMany("people", [{ id: "r0", document: {} }], { onExisting: "replace" });
        assert.equal(batch?.outcome, "refused", name);
        change(at("r0"), () => rows.get("r0")!);
      }
      assert.equal((await vault.put(at("r0"), {})).subject, "ada");
    });

    test("versions of one record, its schemes, another vault's message and a missing person are told apart", async (t) => {
      const { vault, changeVersion, change, stored, forgetPerson } = await keyedVault(t, { keys: { scope } });
      const stranger = await keyedVault(t, { keys: { scope } });
      for (const n of [1, 2]) await vault.put(at("1"), { n }, { subject: "ada" });
      await stranger.vault.put(at("1"), {}, { subject: "ada" });
      let whole: RecordRow | undefined;
      change(at("1"), (row) => {
        whole = row;
        return {};
      });
      const foreign = await stranger.stored(at("1"));
      const refused = async (code: VaultErrorCode, to: (row: VersionRow) => Partial<VersionRow>, words: RegExp) => {
        changeVersion(at("1"), to);
        assert.match((await rejectsWith(code, () => vault.get(at("1")))).message, words);
        await rejectsWith(code, () => vault.put(at("1"), {}));
        change(at("1"), () => whole!);
      };
      const older = whole!.versions[0]!;
      await refused("record-rolled-back", () => ({ message: older.message }), /another version/);
      await refused("record-moved", () => ({ message: Buffer.from(foreign.message) }), /another vault/);
      await refused("record-tampered", () => ({ scheme: 1 }), /another scheme/);
      await refused("record-tampered", () => ({ subject: "collection:others" as VersionRow["subject"] }), /no person/);
      await refused(
        "record-moved-subject",
        () => ({ subject: "collection:people" as VersionRow["subject"] }),
        /subject/,
      );
      const { subject } = await stored(at("1"));
      forgetPerson(subject);
      await rejectsWith("record-tampered", () => vault.get(at("1")));
      await rejectsWith("record-tampered", () => vault.put(at("1"), {}));
    });
  });
