// What `dist` is made of: the package's own files, the private ones that it uses, and what CommonJS gets.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode } from "@jridgewell/sourcemap-codec";
import { assemble } from "../../packages/assemble.ts";
import { checkExports, completeExports } from "../../packages/exports.ts";
import { publishedManifest } from "../../packages/pack.ts";
import { rewriteSpecifiers, specifiersOf } from "../../packages/specifiers.ts";
import { readPackages } from "../../packages/workspace.ts";
import { type FileTree, withFiles } from "./files.ts";

const map = (source: string): object => {
  return { version: 3, sources: [source], sourcesContent: ["…"], mappings: "AAAA" };
};
const compiled = (folder: string, name: string, js: string, declarations: string): FileTree => {
  return {
    [`${folder}/src/${name}.ts`]: "",
    [`${folder}/build/${name}.js`]: `${js}\n//# sourceMappingURL=${name.split("/").at(-1) ?? ""}.js.map`,
    [`${folder}/build/${name}.js.map`]: map(`${"../".repeat(name.split("/").length)}src/${name}.ts`),
    [`${folder}/build/${name}.d.ts`]: declarations,
  };
};

const WORKSPACE: FileTree = {
  "package.json": { workspaces: ["packages/one", "packages/base"] },
  "packages/one/tsconfig.json": {},
  "packages/one/package.json": {
    name: "@example/one",
    exports: { ".": { "@strongroom/source": "./src/index.ts" } },
    dependencies: { third: "^1.0.0" },
    devDependencies: { "@example/base": "1.0.0" },
  },
  ...compiled(
    "packages/one",
    "index",
    'import { b } from "@example/base/b"; export { a } from "./deep/a.js";',
    'export { a } from "./deep/a.ts";\nexport type B = import("@example/base/b").B;',
  ),
  ...compiled("packages/one", "deep/a", 'export { b as a } from "@example/base/b";', "export declare const a: string;"),
  "packages/one/build/old.js": "export {};",
  "packages/base/tsconfig.json": {},
  "packages/base/package.json": {
    name: "@example/base",
    private: true,
    exports: {
      "./b": { "@strongroom/source": "./src/b/index.ts" },
      "./unused": { "@strongroom/source": "./src/unused.ts" },
    },
  },
  ...compiled("packages/base", "b/index", 'export * from "../c.js";', 'export * from "../c.ts";'),
  ...compiled("packages/base", "c", 'export { b } from "third";', 'export type { B } from "third";'),
  ...compiled("packages/base", "unused", 'import "not-there";', "export {};"),
};

function assembled(
  files: FileTree,
  look: (read: (path: string) => string, has: (path: string) => boolean) => void,
): void {
  withFiles(files, (root) => {
    const packages = readPackages(root);
    const one = packages.find(({ name }) => name === "@example/one") ?? assert.fail("no package");
    assemble(one, packages);
    const dist = join(one.folder, "dist");
    look(
      (path) => readFileSync(join(dist, path), "utf8"),
      (path) => existsSync(join(dist, path)),
    );
  });
}

test("private packages are inside, under relative names; what is not used or has no source is not", () => {
  assembled(WORKSPACE, (read, has) => {
    assert.match(read("index.js"), /from "\.\/base\/b\/index\.js"/);
    assert.match(read("deep/a.js"), /from "\.\.\/base\/b\/index\.js"/);
    assert.match(read("index.d.ts"), /import\("\.\/base\/b\/index\.js"\)/);
    assert.match(read("index.d.ts"), /"\.\/deep\/a\.js"/);
    assert.match(read("base/b/index.d.ts"), /"\.\.\/c\.js"/);
    assert.ok(has("base/c.js"));
    assert.ok(!has("base/unused.js"));
    assert.ok(!has("old.js"));
  });
});

test("maps of what is inside name its sources apart from the package's own", () => {
  assembled(WORKSPACE, (read) => {
    const sources = (path: string): unknown => (JSON.parse(read(path)) as { readonly sources: unknown }).sources;
    assert.deepEqual(sources("index.js.map"), ["../src/index.ts"]);
    assert.deepEqual(sources("base/b/index.js.map"), ["../../../src/base/b/index.ts"]);
  });
});

test("CommonJS requires the one ES module and has declarations of its own", () => {
  assembled(WORKSPACE, (read, has) => {
    assert.match(read("cjs/index.js"), /require\("\.\.\/index\.js"\)/);
    assert.equal((JSON.parse(read("cjs/package.json")) as { readonly type: string }).type, "commonjs");
    for (const path of ["index", "deep/a", "base/b/index", "base/c"]) assert.ok(has(`cjs/${path}.d.ts`), path);
  });
});

test("a dependency of what is inside must be one of the package", () => {
  const manifest = WORKSPACE["packages/one/package.json"] as object;
  assert.throws(() => {
    assembled({ ...WORKSPACE, "packages/one/package.json": { ...manifest, dependencies: {} } }, () => undefined);
  }, /@example\/one does not name all its dependencies:\n {2}dist\/base\/c\.js imports third/);
});

test("specifiers are found in every kind of import, and replacing them moves the map", () => {
  const text = 'import a from "x"; export * from "y"; const b = await import("x"); let z: import("x").Z;';
  assert.deepEqual(specifiersOf(text), ["x", "y", "x", "x"]);
  const { text: rewritten, moveMappings } = rewriteSpecifiers(text, (name) => (name === "x" ? "./longer" : name));
  assert.equal(rewritten, text.replaceAll('"x"', '"./longer"'));
  // One segment at column 19, behind the first of them: `export`.
  assert.deepEqual(decode(moveMappings("mBAAA")), [[[19 + "./longer".length - 1, 0, 0, 0]]]);
});

test("exports are made from the sources, and what differs is refused", () => {
  withFiles(WORKSPACE, (root) => {
    const [, one] = readPackages(root);
    assert.equal(one?.name, "@example/one", "a package comes after those it needs");
    const { ".": entry } = completeExports(one.manifest);
    assert.deepEqual(Object.keys(entry as object), ["@strongroom/source", "require", "types", "default"]);
    assert.throws(() => {
      checkExports([one]);
    }, /npm run packages:exports/);
    const published = publishedManifest({ ...one.manifest, exports: completeExports(one.manifest) });
    assert.ok(!JSON.stringify(published).includes("source"));
    assert.ok(!("devDependencies" in published));
  });
});
