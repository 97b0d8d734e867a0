// Holds docs/resilience.md to the code: every promise, every setting with its default, every fault.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { MULTI_REGION_DEFAULTS } from "@strongroom/envelope/aws-kms";
import { DEFAULT_REPAIR_SETTINGS } from "@strongroom/vault";
import { FAULT_NAMES } from "../../src/drill/control-port.ts";
import { PROMISES } from "../../src/drill/promises.ts";

const page = await readFile(new URL("../../../../docs/resilience.md", import.meta.url), "utf8");

describe("docs/resilience.md", () => {
  it("lists every promise in the words of the drill", () => {
    const rows = [...page.matchAll(/^\| (.+) \| `([a-z-]+)` \|$/gm)].map(([, words, name]) => [name, words]);
    assert.deepEqual(
      rows,
      Object.entries(PROMISES).map(([name, { words }]) => [name, words]),
    );
  });

  it("lists every setting with its default", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d.]+) \|/gm)].map(([, name, value]) => [name, Number(value)]);
    const settings = Object.entries({ ...MULTI_REGION_DEFAULTS, ...DEFAULT_REPAIR_SETTINGS });
    assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(settings));
    assert.equal(rows.length, settings.length);
  });

  it("names every fault", () => {
    for (const name of FAULT_NAMES) assert.ok(page.includes(`\`${name}\``), name);
  });
});
