/**
 * Part of a store's contract: a note is replaced only by whoever has seen what it replaces, and is found by the
 * beginning of its name.
 */
import assert from "node:assert/strict";
import { MAX_NOTE_BYTES, MAX_NOTE_NAME } from "../stores/notes.ts";
import type { Store } from "../stores/store.ts";
import { EPOCH, rejects } from "./changes.ts";
import type { Contract } from "./contract.ts";

/** Characters that a pattern, a path or a statement would take for something. */
const ODD_NAMES = ["a_b", "a-b", "a.b", "a/b", "axb", "_", "__", ".", "..", "/", "-", "a/", "0", "z9"];

export function notesContract(contract: Contract): void {
  contract("a note is there when it was put there, in every store, until it goes", async ({ store, another }) => {
    const other = await another();
    assert.deepEqual(await other.notes.list(""), []);
    const text = JSON.stringify({ "\u00e4'\"\\": "\u{1f511}\n %_$1?:id" });
    assert.equal(await store.notes.replace("run/state", text, null), "replaced");
    assert.deepEqual(await other.notes.list(""), [{ name: "run/state", text }]);
    assert.equal(await other.notes.replace("run/state", "two", text), "replaced");
    await store.gate.flip({ from: EPOCH.first, digest: "second" });
    assert.deepEqual(await textsOf(store, "run/state"), ["two"], "it outlasts a flip");
    assert.equal(await store.notes.replace("run/state", null, "two"), "replaced");
    assert.deepEqual(await other.notes.list(""), []);
    assert.equal(await other.notes.replace("run/state", "three", null), "replaced", "another may come after it");
  });

  contract("a note is replaced, or goes, only by whoever has seen it", async ({ store, another }) => {
    const other = await another();
    for (const seen of ["one", "", "null"]) assert.equal(await store.notes.replace("a", "one", seen), "overtaken");
    assert.equal(await store.notes.replace("a", null, "one"), "overtaken");
    assert.deepEqual(await store.notes.list(""), []);
    assert.equal(await store.notes.replace("a", null, null), "replaced", "nothing is where nothing was");
    assert.equal(await store.notes.replace("a", "one", null), "replaced");
    for (const seen of [null, "One", "one ", "on", "one\n", "", "one\u0000", "\ud800"])
      for (const text of ["two", null]) assert.equal(await other.notes.replace("a", text, seen), "overtaken");
    assert.deepEqual(await other.notes.list(""), [{ name: "a", text: "one" }]);
    assert.equal(await other.notes.replace("b", "one", null), "replaced", "another name is another note");
    assert.equal(await store.notes.replace("a", null, "one"), "replaced");
    assert.deepEqual(await store.notes.list(""), [{ name: "b", text: "one" }]);
  });

  contract("of many that replace, begin or remove one note exactly one does", async ({ store, another, rounds }) => {
    const stores = [store, await another()];
    for (let round = 0; round < 5 * rounds; round++)
      for (const seen of [null, `of ${round}`]) {
        const texts = Array.from({ length: 12 }, (_, index) => (index === 5 && seen !== null ? null : `by ${index}`));
        const results = await Promise.all(
          texts.map((text, index) => stores[index % 2]!.notes.replace("a", text, seen)),
        );
        const made = texts.filter((_, index) => results[index] === "replaced");
        assert.equal(made.length, 1);
        assert.deepEqual(await textsOf(store, "a"), made[0] === null ? [] : made);
        const next = seen === null ? `of ${round}` : null;
        if (made[0] !== next) assert.equal(await store.notes.replace("a", next, made[0]!), "replaced");
      }
  });

  contract("notes are found by the beginning of their names, in the order of bytes", async ({ store }) => {
    for (const name of ODD_NAMES) assert.equal(await store.notes.replace(name, `of ${name}`, null), "replaced");
    const inOrder = ODD_NAMES.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const prefix of ["", "a", "a_", "a/", "_", "__", ".", "a/x", "z9", "%", "a%", "A", "*", "\u0000", "a_b\u0000"])
      assert.deepEqual(
        await store.notes.list(prefix),
        inOrder.filter((name) => name.startsWith(prefix)).map((name) => ({ name, text: `of ${name}` })),
        JSON.stringify(prefix),
      );
    assert.deepEqual(await store.notes.list("a".repeat(MAX_NOTE_NAME + 1)), []);
  });

  contract("a note is as long as one may be, and what is longer or none is refused", async ({ store }) => {
    const name = "z".repeat(MAX_NOTE_NAME);
    const longest = "\u2014".repeat((MAX_NOTE_BYTES / 3) | 0) + "x";
    assert.equal(Buffer.byteLength(longest), MAX_NOTE_BYTES);
    assert.equal(await store.notes.replace(name, longest, null), "replaced");
    for (const text of [`${longest}x`, "", "a\u0000b", "\ud800", 1 as unknown as string])
      await rejects("store-failed", () => store.notes.replace(name, text, longest));
    for (const wrong of [`${name}z`, "", "A", "a b", "a%", "\u00e4", "a\u0000", "a\n", null as unknown as string])
      await rejects("store-failed", () => store.notes.replace(wrong, "one", null));
    assert.deepEqual(await store.notes.list(""), [{ name, text: longest }]);
  });

  contract("a list of notes has at most a thousand", async ({ store }) => {
    const names = Array.from({ length: 1001 }, (_, index) => `n/${String(index).padStart(4, "0")}`);
    for (let from = 0; from < names.length; from += 143)
      await Promise.all(names.slice(from, from + 143).map((name) => store.notes.replace(name, "one", null)));
    assert.deepEqual(
      (await store.notes.list("n/")).map(({ name }) => name),
      names.slice(0, 1000),
    );
  });

  contract("a note of a store that is closed is refused", async ({ another }) => {
    const closed = await another();
    await closed.close();
    await rejects("store-closed", () => closed.notes.list(""));
    await rejects("store-closed", () => closed.notes.replace("a", "one", null));
  });
}

const textsOf = async ({ notes }: Store, prefix: string): Promise<readonly string[]> =>
  (await notes.list(prefix)).map(({ text }) => text);
