/** Wrong options of createClient are refused before a call is made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import { createClient } from "@strongroom/client";

const good = { url: "http://127.0.0.1:1", token: "srt_test" };

for (const [option, values] of Object.entries({
  url: [null, undefined, "", "ftp://x", {}, 1],
  token: [null, undefined, "", 1, {}, ["srt_test"]],
  fetch: [null, "fetch", {}],
  timeoutMs: [null, "1000", 0, -1, NaN, Infinity, {}, [5]],
  signal: [null, "x", {}, new AbortController()],
  timeoutMS: [1000],
})) {
  test(`createClient refuses ${option}`, () => {
    for (const value of values)
      assert.throws(() => createClient({ ...good, [option]: value }), { code: "option-invalid" });
  });
}

test("createClient refuses options that are no object, and takes undefined for left out", () => {
  for (const wrong of [null, undefined, "x", []])
    assert.throws(() => createClient(wrong as never), { code: "option-invalid" });
  createClient({ ...good, fetch: undefined, timeoutMs: undefined, signal: undefined });
});

test("a document's bytes may be of another realm", async () => {
  let sent = "";
  const fetch = async (request: Request): Promise<Response> => {
    sent = await request.text();
    return Response.json({}, { status: 500 });
  };
  const bytes = vm.runInNewContext("Uint8Array.from(list)", { list: [...Buffer.from('{"a":1}')] }) as Uint8Array;
  await createClient({ ...good, fetch })
    .records.put("people", "1", bytes as never)
    .catch(() => undefined);
  assert.equal(sent, '{"a":1}');
});
