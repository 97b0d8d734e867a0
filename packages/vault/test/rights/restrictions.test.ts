/**
 * Who is restricted but for named purposes: in every process at once, also while a read is under way.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isVaultError } from "@strongroom/vault";
import { rejectsWith } from "../support/errors.ts";
import { keyedVault } from "../support/keyed-vault.ts";
import { overlaid } from "../support/store-with.ts";
import { ADA, BOB, exported, peopledVault } from "./support.ts";

const PERSON = { collection: "people", id: "1" };
const CLAIMS = { principal: "lawyer", purpose: "legal-claims" };
const SUPPORT = { principal: "clerk", purpose: "support" };

describe("a restriction with an exception", () => {
  test("is read for that purpose alone, in every process, and written for none", async (t) => {
    const { vault, another, entries } = await peopledVault(t);
    const other = await another();
    await vault.rights!.restrict(ADA, { except: ["legal-claims"] });
    for (const each of [vault, other]) {
      assert.equal((await each.as(CLAIMS).get(PERSON)).document["n"], 2);
      assert.equal((await each.as(CLAIMS).get({ collection: "letters", id: "1" })).document["text"], "Dear Ada");
      assert.equal((await each.as(CLAIMS).history(PERSON))[0]!.subject, ADA);
      await rejectsWith("subject-restricted", () => each.get(PERSON));
      await rejectsWith("subject-restricted", () => each.as(SUPPORT).get(PERSON));
      await rejectsWith("subject-restricted", () => each.as(CLAIMS).put(PERSON, {}));
      await rejectsWith("subject-restricted", () => exported(each));
      await rejectsWith("subject-restricted", () => exported(each.as(SUPPORT)));
      assert.equal((await exported(each.as(CLAIMS))).at(-1)!.kind, "end");
      assert.deepEqual((await each.rights!.show(ADA)).except, ["legal-claims"]);
    }
    assert.equal((await entries("restrict"))[0]!.details!["except"], "legal-claims");
    await vault.subjects.release(ADA);
    assert.equal((await other.get(PERSON)).document["n"], 2);
    await vault.subjects.restrict(ADA);
    // An exception of before is over.
    await rejectsWith("subject-restricted", () => other.as(CLAIMS).get(PERSON));
  });

  test("outlives the process, and another one takes its place whole", async (t) => {
    const { vault, another } = await peopledVault(t);
    await vault.rights!.restrict(ADA, { except: ["legal-claims", "support"] });
    await vault.close();
    const later = await another();
    await later.as(SUPPORT).get(PERSON);
    await later.rights!.restrict(ADA, { except: ["legal-claims"] });
    await rejectsWith("subject-restricted", () => later.as(SUPPORT).get(PERSON));
    await later.rights!.restrict(ADA);
    await rejectsWith("subject-restricted", () => later.as(CLAIMS).get(PERSON));
  });

  test("does not excuse another person of the same record", async (t) => {
    const { vault } = await peopledVault(t);
    await vault.rights!.restrict(ADA, { except: ["legal-claims"] });
    await vault.rights!.restrict(BOB);
    await rejectsWith("subject-restricted", () => vault.as(CLAIMS).get({ collection: "letters", id: "1" }));
  });

  test("that is taken back, or whose person is erased, while a read is under way, releases nothing", async (t) => {
    for (const what of ["take back", "erase"] as const) {
      let between: (() => Promise<unknown>) | null = null;
      const { vault, another, store } = await peopledVault(t, {
        alter: (own) =>
          overlaid(own, {
            outbox: overlaid(own.outbox, {
              append: async (entries, active) => {
                const result = await own.outbox.append(entries, active);
                const run = between;
                between = null;
                await run?.();
                return result;
              },
            }),
          }),
      });
      const other = await another();
      await vault.rights!.restrict(ADA, { except: ["legal-claims"] });
      await vault.as(CLAIMS).get(PERSON);
      const { subject } = (await store.records.read(PERSON as never, null)).stored!;
      between = () =>
        what === "take back"
          ? other.rights!.restrict(ADA)
          : store.subjects.setState({ id: subject as never, from: ["restricted"], to: "erasing" });
      const code = what === "erase" ? "subject-erased" : "subject-restricted";
      await rejectsWith(code, () => vault.as(CLAIMS).get(PERSON));
    }
  });

  test("is no exception where its note is gone, or is none of ours", async (t) => {
    const { vault, store } = await peopledVault(t);
    await vault.rights!.restrict(ADA, { except: ["legal-claims"] });
    const [note] = await store.notes.list("restriction/");
    for (const text of [null, "{", '{"except":"legal-claims"}', '{"except":["LEGAL"]}', "[]", "null"]) {
      const [now] = await store.notes.list("restriction/");
      await store.notes.replace(note!.name, text, now?.text ?? null);
      await rejectsWith("subject-restricted", () => vault.as(CLAIMS).get(PERSON));
    }
  });

  test("names purposes, and needs an audit to know them by", async (t) => {
    const { vault } = await peopledVault(t);
    for (const except of ["legal-claims", ["Legal"], [""], Array.from({ length: 9 }, (_, index) => `p${index}`)])
      await rejectsWith("vault-option-invalid", () => vault.rights!.restrict(ADA, { except: except as string[] }));
    const plain = await keyedVault(t);
    assert.equal(plain.vault.rights, null);
    await rejectsWith("vault-option-invalid", () => plain.vault.subjects.restrict(ADA, { except: ["legal-claims"] }));
    assert.ok(isVaultError(await plain.vault.get(PERSON).catch((error: unknown) => error)));
  });
});
