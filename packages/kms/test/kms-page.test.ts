import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { test } from "node:test";
import { OPERATIONS } from "../src/operations/table.ts";
import { PAGE, behaviours, kmsPage } from "./kms-page.ts";

test("docs/kms.md says what the tests pin", () => {
  if (process.env["STRONGROOM_WRITE_DOCS"] !== undefined) writeFileSync(PAGE, kmsPage());
  assert.ok(existsSync(PAGE));
  assert.equal(readFileSync(PAGE, "utf8"), kmsPage(), "run `npm run docs:kms -w packages/kms`");
});

test("every file that the page names is there", () => {
  const page = kmsPage();
  const links = [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = ""]) => resolve(dirname(PAGE), path));
  const named = [...page.matchAll(/`(packages\/kms\/[\w./-]+)`/g)].map(([, path = ""]) =>
    resolve(dirname(PAGE), "..", path),
  );
  assert.ok(links.length > 100 && named.length > 3);
  for (const path of [...links, ...named]) assert.ok(existsSync(path), path);
});

test("every behaviour has a number of its own, and is about operations that exist", () => {
  const all = behaviours();
  const numbers = new Set(all.map((one) => one.number));
  assert.equal(numbers.size, all.length);
  for (let number = 1; number <= 40; number++) assert.ok(numbers.has(number), String(number));
  for (const { operations } of all)
    for (const name of operations) assert.ok(OPERATIONS.has(`TrentService.${name}`), name);
});

test("the table has every operation of the official client", async () => {
  const client = (await import("@aws-sdk/client-kms")) as Record<string, unknown>;
  const commands = Object.keys(client)
    .filter((name) => name.endsWith("Command") && name !== "$Command")
    .map((name) => name.replace(/Command$/, ""));
  assert.deepEqual([...OPERATIONS.values()].map((one) => one.name).sort(), commands.sort());
});

test("every operation is called by some test", () => {
  const without = kmsPage()
    .split("\n")
    .filter((line) => /^\| [A-Z]\w+ \|.*\|  \|$/.test(line));
  assert.deepEqual(without, []);
});
