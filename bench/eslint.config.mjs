// The project's rules for the bench, which has a tsconfig and packages of its own.

import { existsSync } from "node:fs";

import project from "../eslint.config.mjs";

// Before the bench has been run once its peers are not installed, and rules that read types would take everything of
// theirs for an error.
const withoutPeers = existsSync(new URL("node_modules", import.meta.url))
  ? []
  : [{ ignores: ["contenders/**", "peers/**"] }];

export default [
  ...project,
  ...withoutPeers,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
  },
];
