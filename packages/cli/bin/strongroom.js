#!/usr/bin/env node
// Starts the command: from its compiled form in a published package, from its TypeScript sources in a checkout.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const source = new URL("../src/main.ts", import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `strongroom: Node ${process.versions.node} is too old, 22.18 or newer is needed.\n` +
      "  In a checkout, run it as `npx strongroom` or `npm run strongroom --`: that uses the Node that the project brings.\n",
  );
  process.exit(2);
}
if (existsSync(source)) {
  // In a checkout the workspace packages resolve to their sources too.
  nodeModule.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@strongroom/source"] }),
  });
  await import(source.href);
} else {
  await import("../dist/main.js");
}
