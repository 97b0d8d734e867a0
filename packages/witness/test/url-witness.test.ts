import assert from "node:assert/strict";
import { test } from "node:test";
import { c2spWitness } from "../../../tests/support/c2sp-witness.ts";
import { UrlWitness } from "../src/url-witness.ts";
import { failures, GrownLog } from "./grown-log.ts";

test("a service cosigns what goes on from what it has seen, and nothing else is taken for it", async (t) => {
  const service = await c2spWitness(t);
  const log = new GrownLog().grow(3);
  const witness = (): UrlWitness => new UrlWitness(`${service.url}#${service.vkey}`, { tellers: "one", failures });
  assert.match(JSON.stringify(await witness().examine(log.head())), /"away".*does not know the log/);
  service.logs.push(log.vkey);
  assert.deepEqual(await witness().examine(log.head()), { kind: "nothing" });
  const early = log.copy();
  await witness().record(log.grow(300).head());
  assert.deepEqual(await witness().examine(log.grow(1).head()), { kind: "seen", size: 303 });
  await assert.rejects(witness().examine(early.head()), { code: "set-back" });
  await assert.rejects(witness().examine(early.grow(400, "other").head()), { code: "set-back" });
  service.answer = () => ({ status: 200, body: `— witness.example/w1 ${Buffer.alloc(76).toString("base64")}\n` });
  await assert.rejects(witness().record(log.grow(1).head()));
});

test("a process that was slower than another finds more, and all is well where there may be others", async (t) => {
  const service = await c2spWitness(t);
  const log = new GrownLog().grow(3);
  service.logs.push(log.vkey);
  const slow = log.copy();
  const one = new UrlWitness(service.url, { tellers: "one", failures });
  await one.record(log.grow(4).head());
  await assert.rejects(new UrlWitness(service.url, { tellers: "one", failures }).record(slow.head()), {
    code: "set-back",
  });
  const several = new UrlWitness(service.url, { tellers: "several", failures });
  await several.record(slow.head());
  assert.equal(service.seen.get(log.origin)?.size, 7);
  await assert.rejects(several.examine(slow.head()), { code: "set-back" }, "whoever examines it is told");
  await assert.rejects(several.record(slow.grow(9, "other").head()), { code: "set-back" }, "a fork");
});
