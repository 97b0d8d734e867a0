import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pino } from "pino";
import { logDestination } from "../../src/terminal/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a line of the log", () => {
  it("is JSON of the same values, and steers no terminal that shows it", (t) => {
    const path = join(temporaryFolder(t), "log");
    const fd = openSync(path, "a");
    const url = "/v1/\u001b[2J\u009b31m\u202e\u2066\u200b\ufeff\u0085\u2028\u007f\n";
    pino({}, logDestination(fd)).info({ url }, url);
    closeSync(fd);
    const text = readFileSync(path, "utf8");
    assert.match(text, /^[\x20-\x7e]+\n$/);
    const line = JSON.parse(text) as { readonly url: string; readonly msg: string };
    assert.deepEqual([line.url, line.msg], [url, url]);
  });
});
