#!/usr/bin/env node
// Starts the command: from its compiled form in a published package, from its TypeScript sources in a checkout.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";

const source = new URL("../src/main.ts", import.meta.url);
if (existsSync(source)) {
  // In a checkout the workspace packages resolve to their sources too.
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@strongroom/source"] }),
  });
  await import(source.href);
} else {
  await import("../dist/main.js");
}
