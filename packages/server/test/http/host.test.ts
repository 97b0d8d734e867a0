/** For whom a request is and where it comes from: Host, Origin, Sec-Fetch-Site, and fields that stand there twice. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { KnownHosts } from "../../src/http/host.ts";
import { installation } from "../support/installation.ts";

const PATHS = ["/metrics", "/readyz", "/healthz", "/openapi.json", "/v1/records/people/a", "/nothing", "/v1/nothing"];

async function status(origin: string, path: string, lines: readonly string[], version = "1.1"): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.write([`GET ${path} HTTP/${version}`, ...lines, "Connection: close", "", ""].join("\r\n"));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  const text = Buffer.concat(chunks).toString();
  return /"code":"([a-z-]+)"/.exec(text)?.[1] ?? text.split(" ")[1] ?? "";
}

/** Host -> whether the service is it. */
const HOSTS: Readonly<Record<string, boolean | "malformed">> = {
  localhost: true,
  "localhost:8200": true,
  "LocalHost:8200": true,
  "localhost.": true,
  "127.0.0.1": true,
  "127.0.0.1:1": true,
  "127.8.9.1": true,
  "[::1]:8200": true,
  "vault.internal": true,
  "VAULT.internal:8200": true,
  strong_room: true,
  "evil.example": false,
  "evil.example:8200": false,
  "localhost.evil.example": false,
  "127.0.0.1.evil.example": false,
  "vault.internal.evil.example": false,
  "192.168.1.1": false,
  "0.0.0.0:8200": false,
  "[::]": false,
  "[::2]:8200": false,
  "127.1": false,
  "2130706433": false,
  "": "malformed",
  ":8200": "malformed",
  "a b": "malformed",
  "localhost, evil.example": "malformed",
  "user@localhost": "malformed",
  "localhost/": "malformed",
  "localhost:port": "malformed",
  "http://localhost": "malformed",
  "[::1": "malformed",
};

test("only by its own names, on every path, with and without a token", async (t) => {
  const { origin, token } = await installation(t, { hosts: ["vault.internal", "strong_room", "0.0.0.0"] });
  for (const [host, known] of Object.entries(HOSTS)) {
    for (const path of known === true ? ["/healthz"] : PATHS) {
      for (const lines of known === true ? [[]] : [[], [`Authorization: Bearer ${token.admin}`]]) {
        const code = await status(origin, path, [`Host: ${host}`, ...lines]);
        const must = known === true ? "200" : known ? "request-malformed" : "host-not-allowed";
        assert.equal(code, must, `${path} for ${JSON.stringify(host)}`);
      }
    }
  }
});

test("the address that a connection came to is one of its names", () => {
  const request = (host: string, localAddress: string) =>
    ({ headers: { host }, raw: { httpVersion: "1.1" }, socket: { localAddress } }) as never;
  const hosts = new KnownHosts(["fd00::7", "[FD00:0:0::8]", "vault.internal.", "fe80::9%eth0"]);
  for (const [host, address] of [
    ["10.1.2.3:8200", "10.1.2.3"],
    ["10.1.2.3", "::ffff:10.1.2.3"],
    ["[fe80::1]:8200", "fe80::1%eth0"],
    ["[FD00::7]", "10.1.2.3"],
    ["[fd00:0:0::7]:8200", "10.1.2.3"],
    ["[fd00::8]", "10.1.2.3"],
    ["vault.internal", "10.1.2.3"],
    ["[fe80::9]", "10.1.2.3"],
    ["[0:0:0:0:0:0:0:1]", "::1"],
  ] as const)
    hosts.require(request(host, address));
  assert.throws(() => {
    hosts.require(request("10.1.2.4", "10.1.2.3"));
  }, /host/i);
});

test("no Host at all is an HTTP/1.0 client, and else no request", async (t) => {
  const { origin } = await installation(t);
  assert.equal(await status(origin, "/healthz", [], "1.0"), "200");
  assert.equal(await status(origin, "/healthz", ["Host: evil.example"], "1.0"), "host-not-allowed");
  assert.equal(await status(origin, "/healthz", [], "1.1"), "request-malformed");
  assert.equal(await status(origin, "http://evil.example/healthz", ["Host: localhost"]), "host-not-allowed");
  assert.equal(await status(origin, "http://localhost/healthz", ["Host: localhost"]), "200");
  assert.equal(await status(origin, "http://localhost/v1/nothing", ["Host: localhost"]), "token-missing");
});

test("an expectation that is none of HTTP's is no way around the names, and changes nothing", async (t) => {
  const { origin, token } = await installation(t);
  const expecting = ["Expect: magic", `Authorization: Bearer ${token.read}`];
  assert.equal(await status(origin, "/v1/records/people/a", ["Host: evil.example", ...expecting]), "host-not-allowed");
  assert.equal(await status(origin, "/v1/records/people/a", ["Host: localhost", ...expecting]), "record-absent");
});

test("fields that a request has once are refused when they stand there twice", async (t) => {
  const { origin, token } = await installation(t);
  for (const lines of [
    ["Host: localhost", "Host: localhost"],
    ["Host: localhost", "hOST: evil.example"],
    ["Host: localhost", `Authorization: Bearer ${token.read}`, "Authorization: Bearer other"],
    ["Host: localhost", "Strongroom-Subject: a", "Strongroom-Subject: b"],
    ["Host: localhost", `If-Unmodified-Since: ${new Date().toUTCString()}`, "If-Unmodified-Since: x"],
    ["Host: localhost", "Origin: http://localhost", "Origin: null"],
    ["Host: localhost", "Content-Type: application/json", "Content-Type: text/plain"],
  ])
    for (const path of ["/metrics", "/v1/records/people/a"])
      assert.equal(await status(origin, path, lines), "request-malformed", lines.join(" | "));
  assert.match(
    await status(origin, "/healthz", ["Host: localhost", "Content-Length: 0", "Content-Length: 1"]),
    /malformed/,
  );
});

/** Headers of a request to localhost:8200 -> whether a page may make it. */
const PAGES: readonly (readonly [lines: readonly string[], allowed: boolean])[] = [
  [[], true],
  [["Sec-Fetch-Site: none"], true],
  [["Sec-Fetch-Site: same-origin", "Origin: http://localhost:8200"], true],
  [["Origin: https://vault.internal"], true],
  [["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], true],
  [["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], false],
  [["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"], false],
  [["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Origin: http://localhost:3000"], false],
  [["Sec-Fetch-Site: something"], false],
  [["Origin: http://localhost:3000"], false],
  [["Origin: https://evil.example"], false],
  [["Origin: null"], false],
  [["Origin: "], false],
  [["Origin: http://localhost:8200.evil.example"], false],
];

test("a page of another site may not call it", async (t) => {
  const { origin, token } = await installation(t, { hosts: ["vault.internal"] });
  for (const [lines, allowed] of PAGES) {
    const code = await status(origin, "/metrics", ["Host: localhost:8200", ...lines]);
    assert.equal(code, allowed ? "200" : "origin-not-allowed", lines.join(" | "));
    const record = ["Host: localhost:8200", `Authorization: Bearer ${token.read}`, ...lines];
    assert.equal(
      await status(origin, "/v1/records/people/a", record),
      allowed ? "record-absent" : "origin-not-allowed",
    );
  }
});
