// The check of packed packages: silent on a good one, and red for each way in which one can be broken.
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { test } from "node:test";
import { checkPacked } from "../../packages/check.ts";
import { ROOT } from "../../packages/workspace.ts";
import { type FileTree, withFiles } from "./files.ts";

const LICENSE = "the licence";

const MANIFEST = {
  name: "@example/one",
  version: "1.0.0",
  description: "An example.",
  license: "Apache-2.0",
  author: "someone",
  homepage: "https://example.com",
  bugs: "https://example.com",
  repository: { type: "git", url: "https://example.com", directory: "packages/one" },
  keywords: ["example"],
  engines: { node: ">=22.18" },
  publishConfig: { access: "public", provenance: true },
  exports: {
    ".": {
      require: { types: "./dist/cjs/index.d.ts", default: "./dist/cjs/index.js" },
      types: "./dist/index.d.ts",
      default: "./dist/index.js",
    },
    "./package.json": "./package.json",
  },
  bin: { one: "./bin/one.js" },
  dependencies: { other: "^1.0.0" },
};

const GOOD: FileTree = {
  "package.json": MANIFEST,
  "README.md": "# one",
  LICENSE,
  "bin/one.js": '#!/usr/bin/env node\nawait import("../dist/index.js");\n',
  "dist/index.js":
    'import "node:fs";\nimport "other/deep";\nexport * from "./a.js";\n//# sourceMappingURL=index.js.map\n',
  "dist/index.js.map": { version: 3, sources: ["../src/index.ts"], sourcesContent: ["export {};"], mappings: "" },
  "dist/index.d.ts": 'export * from "./a.js";\n',
  "dist/a.js": "export {};\n",
  "dist/a.d.ts": "export {};\n",
  "dist/cjs/package.json": { type: "commonjs" },
  "dist/cjs/index.js": 'module.exports = require("../index.js");\n',
  "dist/cjs/index.d.ts": 'export * from "./a.js";\n',
  "dist/cjs/a.d.ts": "export {};\n",
};

const check = (files: FileTree): readonly string[] =>
  withFiles(files, (folder) => checkPacked(folder, { license: LICENSE, privateNames: ["@example/private"] }));

const without = (path: string): FileTree => Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== path));

test("a good package has no problem", () => {
  assert.deepEqual(check(GOOD), []);
});

const MANIFEST_SABOTAGES: Readonly<Record<string, { readonly change: object; readonly says: RegExp }>> = {
  "an export whose file is missing": {
    change: { exports: { ...MANIFEST.exports, "./b": { types: "./dist/b.d.ts", default: "./dist/b.js" } } },
    says: /^\.\/dist\/b\.d\.ts is named and not packed$/,
  },
  "no exports": { change: { exports: undefined }, says: /has no exports/ },
  "an export without types": { change: { exports: { ".": { default: "./dist/index.js" } } }, says: /has no types/ },
  "types after code": {
    change: { exports: { ".": { default: "./dist/index.js", types: "./dist/index.d.ts" } } },
    says: /names types after code/,
  },
  "the workspace's own condition": {
    change: { exports: { ".": { "@strongroom/source": "./src/index.ts", ...MANIFEST.exports["."] } } },
    says: /names a source/,
  },
  "a program that is not packed": { change: { bin: { one: "./bin/two.js" } }, says: /bin\/two\.js is named/ },
  "a dependency that is imported and not named": { change: { dependencies: {} }, says: /imports other, which is no/ },
  "a dependency on a file": { change: { dependencies: { other: "file:../other" } }, says: /no registry has/ },
  "development dependencies": { change: { devDependencies: {} }, says: /has devDependencies/ },
  "no licence field": { change: { license: undefined }, says: /has no license/ },
  "another Node": { change: { engines: { node: ">=20" } }, says: /engines/ },
  "no provenance": { change: { publishConfig: { access: "public" } }, says: /publishConfig/ },
};
for (const [name, { change, says }] of Object.entries(MANIFEST_SABOTAGES)) {
  test(`noticed in package.json: ${name}`, () => {
    const problems = check({ ...GOOD, "package.json": { ...MANIFEST, ...change } });
    assert.ok(
      problems.some((problem) => says.test(problem)),
      problems.join("\n"),
    );
  });
}

for (const path of Object.keys(GOOD).filter((name) => name !== "package.json" && name !== "dist/cjs/package.json")) {
  test(`noticed: ${path} is not packed`, () => {
    assert.ok(check(without(path)).some((problem) => problem.includes("not packed")));
  });
}

const FILE_SABOTAGES: Readonly<Record<string, { readonly files: FileTree; readonly says: RegExp }>> = {
  "a test": { files: { "dist/a.test.js": "" }, says: /dist\/a\.test\.js is packed/ },
  "a source": { files: { "src/index.ts": "" }, says: /src\/index\.ts is packed/ },
  "what tsc remembers": { files: { "dist/tsconfig.tsbuildinfo": "" }, says: /tsbuildinfo is packed/ },
  "another licence": { files: { LICENSE: "another" }, says: /not the repository's/ },
  "a path of the repository": { files: { "dist/a.js": `"${ROOT}/a.ts"` }, says: /path of this machine/ },
  "a path of the home folder": { files: { "dist/a.js": `"${homedir()}/a.ts"` }, says: /path of this machine/ },
  "a private package": {
    files: { "dist/a.d.ts": 'export * from "@example/private/b";' },
    says: /imports @example\/private/,
  },
  "a map without its sources": {
    files: { "dist/index.js.map": { version: 3, sources: ["../src/index.ts"], mappings: "" } },
    says: /does not hold its sources/,
  },
  "a program that no shell starts": { files: { "bin/one.js": "" }, says: /does not begin/ },
};
for (const [name, { files, says }] of Object.entries(FILE_SABOTAGES)) {
  test(`noticed: ${name}`, () => {
    const problems = check({ ...GOOD, ...files });
    assert.ok(
      problems.some((problem) => says.test(problem)),
      problems.join("\n"),
    );
  });
}
