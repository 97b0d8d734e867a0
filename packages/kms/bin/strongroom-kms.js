#!/usr/bin/env node
// Starts the command: compiled in a published package, from the TypeScript sources in a checkout.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

// Compiled code is kept between starts: a start takes half the time.
nodeModule.enableCompileCache?.();

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`strongroom-kms: Node ${process.versions.node} is too old, 22.18 or newer is needed.\n`);
  process.exit(2);
}
const source = new URL("../src/command/main.ts", import.meta.url);
if (existsSync(source)) {
  nodeModule.registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, conditions: [...context.conditions, "@strongroom/source"] }),
  });
  await import(source.href);
} else {
  await import("../dist/command/main.js");
}
