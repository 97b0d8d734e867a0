import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allowedImports, packagesPicture } from "../packages-picture.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const allowed = await allowedImports();
const packages = readdirSync(join(root, "packages")).filter((name) => existsSync(join(root, "packages", name, "src")));

test("the picture of the packages shows what lint allows", () => {
  assert.deepEqual(Object.keys(allowed).sort(), packages.sort());
  assert.equal(read("docs/pictures/packages.svg"), packagesPicture(allowed), "run `npm run docs:packages`");
});

test("the table of allowed imports in docs/architecture.md is the rule that lint has", () => {
  const rows = [...read("docs/architecture.md").matchAll(/^\| (\w+) \| ([\w, ]+) \| .*\|$/gm)]
    .filter(([, name = ""]) => Object.hasOwn(allowed, name))
    .map(([, name = "", targets = ""]) => [name, targets === "nothing" ? [] : targets.split(", ").sort()] as const);
  const wanted = Object.entries(allowed).map(([name, targets]) => [name, [...targets].sort()] as const);
  assert.deepEqual(rows.toSorted(byName), wanted.toSorted(byName));
});

test("the list of packages in docs/architecture.md names rooms that there are", () => {
  const lines = [
    ...read("docs/architecture.md").matchAll(/^ {2}(\w+)\/ +(?:@strongroom\/\w+|\(private\)|strongroom) +(.+)$/gm),
  ];
  assert.deepEqual(lines.map(([, name = ""]) => name).toSorted(), packages.toSorted());
  const absent = lines.flatMap(([, name = "", rooms = ""]) => {
    const there = readdirSync(join(root, "packages", name, "src")).map((room) => room.replace(/\.ts$/, ""));
    const named = rooms.split(", ").map((room) => room.replace(/\.ts$/, ""));
    return named.filter((room) => /^[\w-]+$/.test(room) && !there.includes(room)).map((room) => `${name}: ${room}`);
  });
  assert.deepEqual(absent, []);
});

for (const name of packages) {
  test(`packages/${name}/README.md ends with how its code is laid out: every room, and none that is not there`, () => {
    const [, layout = ""] = read(`packages/${name}/README.md`).split("## How the code is laid out\n");
    const [table = ""] = layout
      .trim()
      .split("\n\n")
      .filter((paragraph) => paragraph.startsWith("|"));
    const rooms = [...table.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \| .+ \|$/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, room = ""]) => room),
    );
    assert.deepEqual(rooms.toSorted(), roomsOf(`packages/${name}/src`).toSorted());
    const files = [...layout.matchAll(/`([\w-]+(?:\/[\w-]+)*\.ts)`/g)].map(([, file = ""]) => file);
    assert.deepEqual(
      files.filter((file) => !existsSync(join(root, "packages", name, "src", file))),
      [],
    );
  });
}

/** Folders, and the files beside them; an entry that lists what is public explains itself. */
function roomsOf(path: string): readonly string[] {
  return readdirSync(join(root, path), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((entry) => entry !== "index.ts");
}

function byName([first]: readonly [string, unknown], [second]: readonly [string, unknown]): number {
  return first < second ? -1 : 1;
}
