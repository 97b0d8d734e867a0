// What keeps the emulator, which checks no signature, on this machine and away from real keys.

import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createKms, rekey, seedDataDir } from "@strongroom/kms";
import type { Kms, KmsOptions } from "@strongroom/kms";
import { isFromProgramHere } from "../../src/http/loopback.ts";
import { temporaryDirectory } from "../running-kms.ts";
import { signedHeaders } from "../signed-call.ts";

/** A request as no fetch would send it. */
function raw(kms: Kms, { path = "/_strongroom/reset", method = "POST", headers = {} }: Sent): Promise<Received> {
  const { hostname, port, host } = new URL(kms.emulatorEndpoint!);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: { host, ...headers } }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
      });
    });
    sent.on("error", reject).end();
  });
}
interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}
interface Received {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** What a web page, a name that was made to point here, or a proxy would send. */
const FOREIGN: readonly Record<string, string>[] = [
  { host: "evil.example" },
  { host: "evil.example:4566" },
  { host: "localhost.evil.example" },
  { host: "127.0.0.1.evil.example" },
  { host: "evil.example#127.0.0.1" },
  { host: "127.0.0.1@evil.example" },
  { host: "10.0.0.1" },
  { host: "0.0.0.0" },
  { host: "[::]" },
  { host: "[::ffff:10.0.0.1]" },
  { host: "LOCALHOST.evil" },
  { origin: "http://evil.example" },
  { origin: "null" },
  { origin: "http://127.0.0.1:4566" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "x-forwarded-for": "127.0.0.1" },
  { "x-forwarded-host": "localhost" },
  { "x-real-ip": "127.0.0.1" },
  { forwarded: "for=127.0.0.1" },
];

test("no web page, no foreign name and no proxy reaches it, by whatever path", async () => {
  await using kms = await createKms({ emulator: "loopback" });
  for (const headers of FOREIGN) {
    for (const [method, path] of [
      ["POST", "/_strongroom/reset"],
      ["POST", "/"],
      ["GET", "/health"],
      ["OPTIONS", "/"],
      ["GET", "/nothing"],
    ] as const) {
      const target = { "x-amz-target": "TrentService.ListKeys" };
      const { status, headers: answered } = await raw(kms, { method, path, headers: { ...target, ...headers } });
      assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
      assert.equal(answered["access-control-allow-origin"], undefined);
      assert.equal(answered["x-strongroom-emulator"], "lets everyone in");
    }
  }
  for (const host of ["127.0.0.1", "localhost:1", "[::1]:4566"])
    assert.equal((await raw(kms, { method: "GET", path: "/health", headers: { host } })).status, 200, host);
});

test("a request without a Host, with an empty one or with two is refused", async () => {
  await using kms = await createKms({ emulator: "loopback" });
  const port = Number(new URL(kms.emulatorEndpoint!).port);
  for (const [start, ...headers] of [
    ["POST /_strongroom/reset HTTP/1.0"],
    ["POST /_strongroom/reset HTTP/1.1", "Host:"],
    ["POST /_strongroom/reset HTTP/1.1", "Host: evil.example", "Host: localhost"],
    ["POST http://localhost/_strongroom/reset HTTP/1.1", "Host: evil.example"],
  ]) {
    const socket = connect(port, "127.0.0.1");
    socket.write([start, ...headers, "Connection: close", "", ""].join("\r\n"));
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    assert.match(answer, /^HTTP\/1\.1 40[03] /, headers.join(" "));
  }
});

test("the socket's own address counts, in every way of writing it", () => {
  const from = (remoteAddress: string | undefined): boolean =>
    isFromProgramHere({ headers: { host: "localhost" }, socket: { remoteAddress } } as never);
  for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) assert.ok(from(address), address);
  for (const address of [
    undefined,
    "",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "::",
    "::2",
    "fe80::1",
    "127.0.0.1.2",
    "1127.0.0.1",
  ])
    assert.ok(!from(address), String(address));
});

test("an emulator listens on loopback and nowhere else", async () => {
  for (const host of [
    "0.0.0.0",
    "::",
    "127.0.0.1 ",
    "10.0.0.1",
    "localhost.",
    "ip6-localhost",
    "::ffff:127.0.0.1",
    "constructor",
  ]) {
    await assert.rejects(createKms({ emulator: "loopback", host }), {
      code: "option-invalid",
      message: /host: an emulator/,
    });
  }
  // The name is not looked up: a resolver could say anything.
  await using kms = await createKms({ emulator: "loopback", host: "localhost" });
  assert.match(kms.emulatorEndpoint!, /^http:\/\/127\.0\.0\.1:/);
});

test("it takes no root key, no faults, and its port goes with it only", async (t) => {
  const path = join(await temporaryDirectory(t), "root.key");
  writeFileSync(path, `${"01".repeat(32)}\n`, { mode: 0o600 });
  const wrong: readonly (readonly [KmsOptions, RegExp])[] = [
    [{ emulator: "loopback", rootKey: { kind: "file", path } }, /rootKey: an emulator has one of its own/],
    [{ emulator: "loopback", allowFaults: "loopback" }, /allowFaults: an emulator/],
    [{ emulatorPort: 1 }, /emulatorPort: needs emulator/],
    [{ emulator: "yes" as "loopback" }, /emulator/],
    [{ emulator: true as unknown as "loopback" }, /emulator/],
  ];
  for (const [options, message] of wrong) await assert.rejects(createKms(options), { code: "option-invalid", message });
});

test("it opens no server's folder, and no server opens its", async (t) => {
  const directory = await temporaryDirectory(t);
  const [servers, emulators] = [join(directory, "server"), join(directory, "emulator")];
  await (await createKms({ dataDir: servers })).close();
  await (await createKms({ dataDir: emulators, emulator: "loopback" })).close();
  const before = readdirSync(servers).sort();
  const refused = { code: "data-dir-not-of-emulator" };
  await assert.rejects(createKms({ dataDir: servers, emulator: "loopback" }), refused);
  assert.deepEqual(readdirSync(servers).sort(), before, "nothing was made there");
  const own = { code: "data-dir-of-emulator" };
  const rootKey = { kind: "file", path: join(emulators, "emulator-root.key") } as const;
  await assert.rejects(createKms({ dataDir: emulators }), own);
  await assert.rejects(createKms({ dataDir: emulators, rootKey }), own);
  await assert.rejects(rekey({ dataDir: emulators, from: rootKey, to: rootKey }), own);
  await assert.rejects(seedDataDir({ dataDir: emulators, rootKey, seed: { keys: [] } }), own);
  assert.deepEqual(readdirSync(emulators).includes("root.key"), false);
  await (await createKms({ dataDir: servers })).close();
  await (await createKms({ dataDir: emulators, emulator: "loopback" })).close();
});

test("a server's folder whose database is away is not taken either: its root key lies there", async (t) => {
  const dataDir = await temporaryDirectory(t);
  writeFileSync(join(dataDir, "root.key"), `${"01".repeat(32)}\n`, { mode: 0o600 });
  await assert.rejects(createKms({ dataDir, emulator: "loopback" }), { code: "data-dir-not-of-emulator" });
  assert.deepEqual(readdirSync(dataDir), ["root.key"]);
});

test("a server's database that somebody marks as an emulator's is not opened: its root key is not", async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, "server");
  await (await createKms({ dataDir })).close();
  const copy = join(directory, "copy");
  cpSync(dataDir, copy, { recursive: true });
  const database = new DatabaseSync(join(copy, "kms.sqlite"));
  database.exec("INSERT INTO meta (name, value) VALUES ('emulator', x'31')");
  database.close();
  await assert.rejects(createKms({ dataDir: copy, emulator: "loopback" }), { code: "root-key-missing" });
  assert.equal(existsSync(join(copy, "emulator-root.key")), false);
  assert.equal(readFileSync(join(copy, "root.key"), "utf8"), readFileSync(join(dataDir, "root.key"), "utf8"));
});

test("a server without the mode still refuses what the emulator takes", async () => {
  await using kms = await createKms({ regions: [{ name: "us-east-1", port: 0 }] });
  assert.equal(kms.emulatorEndpoint, null);
  const endpoint = kms.endpoints["us-east-1"]!;
  const ask = async (headers: Record<string, string>, path = "/"): Promise<string> => {
    // The host is fetch's own to set.
    const rest = Object.entries(headers).filter(([name]) => name !== "host");
    const answer = await fetch(endpoint + path, { method: "POST", headers: rest, body: "{}" });
    return ((await answer.json()) as { __type: string }).__type;
  };
  const target = { "x-amz-target": "TrentService.ListKeys" };
  assert.equal(await ask(target), "MissingAuthenticationTokenException");
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const call = { endpoint, credentials, region: "us-east-1", operation: "ListKeys", body: {} };
  assert.equal(await ask(await signedHeaders(call, "{}")), "UnrecognizedClientException");
  for (const path of ["/_strongroom/reset", "/moto-api/reset", "/_localstack/state/reset", "/_ministack/reset"])
    assert.equal(await ask(target, path), "MissingAuthenticationTokenException", path);
});

test("a scope that names no region is refused, and ten thousand regions are not made", async () => {
  await using kms = await createKms({ emulator: "loopback" });
  const ask = async (region: string): Promise<{ status: number; text: string }> => {
    const authorization = `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/kms/aws4_request, SignedHeaders=host, Signature=0`;
    const headers = { "x-amz-target": "TrentService.ListKeys", authorization };
    const answer = await fetch(kms.emulatorEndpoint!, { method: "POST", headers, body: "{}" });
    return { status: answer.status, text: await answer.text() };
  };
  for (const region of [
    "nowhere",
    "..",
    "%2e%2e",
    "EU-WEST-1",
    "eu-west-",
    "a".repeat(64),
    `${"a".repeat(30)}-b-1`,
    "__proto__",
  ]) {
    const { status, text } = await ask(region);
    assert.deepEqual([status, text.includes("valid region")], [400, true], region);
  }
  let made = 0;
  for (let i = 0; i < 300; i++) if ((await ask(`xx-many-${i}`)).status === 200) made += 1;
  assert.equal(made, 99, "with the first region one hundred");
  await fetch(`${kms.emulatorEndpoint!}/_strongroom/reset`, { method: "POST" });
  assert.equal((await ask("yy-more-1")).status, 200, "a reset makes room");
});
