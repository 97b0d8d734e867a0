import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { asCliError, type Connection, findConnection } from "../src/connection.ts";
import { CLIENT_ERRORS, ClientError, type ClientErrorCode } from "@strongroom/client";
import { loadConfig } from "../src/config/load.ts";
import { CliError } from "../src/errors.ts";
import { temporaryFolder } from "./support/installation.ts";

describe("where the client commands find the service and the token", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, "strongroom-data"));
    await writeFile(join(folder.path, "strongroom-data", "token"), "of-the-folder\n");
    await writeFile(join(folder.path, "strongroom-data", "running.json"), '{"url":"http://127.0.0.1:9999","kms":{}}');
    await writeFile(join(folder.path, "token"), "  of-a-file  ");
    await writeFile(join(folder.path, "junk"), "two words");
    await writeFile(join(folder.path, "with-token.json"), '{"client":{"tokenFile":"token"}}');
  });
  after(() => folder[Symbol.asyncDispose]());

  async function find(env: Record<string, string>, file?: string, url?: string): Promise<Connection> {
    const flags = url === undefined ? [] : [{ path: "client.url", origin: "--url", value: url }];
    return findConnection(await loadConfig({ cwd: folder.path, env, file, flags }), env);
  }

  it("is what `up` left in the data folder, unless something else is said", async () => {
    const { origin, token } = await find({});
    assert.equal(origin.origin, "http://127.0.0.1:9999");
    assert.equal(token, "of-the-folder");
  });

  it("is what the configuration, the environment and the flags say, in this order", async () => {
    assert.equal((await find({ STRONGROOM_PORT: "8300" })).origin.port, "8300");
    assert.equal((await find({ STRONGROOM_URL: "https://a.example" })).origin.host, "a.example");
    assert.equal(
      (await find({ STRONGROOM_URL: "https://a.example" }, undefined, "https://b.example")).origin.host,
      "b.example",
    );
    assert.equal((await find({}, "with-token.json")).token, "of-a-file");
    assert.equal((await find({ STRONGROOM_TOKEN: "of-the-variable" }, "with-token.json")).token, "of-the-variable");
    assert.equal(
      (await find({ STRONGROOM_TOKEN: "of-the-variable", STRONGROOM_TOKEN_FILE: "token" })).token,
      "of-a-file",
    );
  });

  it("is refused where the token would travel in clear to another machine", async () => {
    await assert.rejects(
      find({}, undefined, "http://10.0.0.1:8200"),
      (error) => error instanceof CliError && error.code === "plain-http",
    );
    assert.equal(
      (await find({ STRONGROOM_ALLOW_PLAIN_HTTP: "true" }, undefined, "http://10.0.0.1:8200")).origin.host,
      "10.0.0.1:8200",
    );
    for (const url of ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "https://10.0.0.1"])
      await find({}, undefined, url);
  });

  it("is refused where the file holds no token, without showing what it holds", async () => {
    await assert.rejects(
      find({ STRONGROOM_TOKEN_FILE: "junk" }),
      (error) => error instanceof CliError && error.code === "token-missing" && !error.message.includes("words"),
    );
  });
});

describe("what the client throws, on the command line", () => {
  it("is an error of the command, with the service's code and outcome", () => {
    const details = { status: 503, detail: "of 3", regions: [{ region: "eu-west-1", reason: "timeout" }] };
    const told = asCliError(new ClientError("regions-unavailable", details));
    assert.ok(told instanceof CliError);
    const { code, reportedCode, outcome, detail, problems } = told;
    assert.deepEqual(
      { code, reportedCode, outcome, detail, problems },
      {
        code: "service-refused",
        reportedCode: "regions-unavailable",
        outcome: "unavailable",
        detail: "of 3",
        problems: ["eu-west-1: timeout"],
      },
    );
  });

  it("has the remedy that a command can do", () => {
    const remedyOf = (code: ClientErrorCode): string => (asCliError(new ClientError(code)) as CliError).remedy;
    assert.match(remedyOf("token-invalid"), /strongroom token create/);
    assert.match(remedyOf("unreachable"), /strongroom up/);
    assert.match(remedyOf("unintelligible"), /--url/);
    assert.equal(remedyOf("document-too-large"), CLIENT_ERRORS["document-too-large"].remedy);
  });

  it("ends the command as the interruption that it was, or as a service that is away", () => {
    const outcomeOf = (code: ClientErrorCode): string => (asCliError(new ClientError(code)) as CliError).outcome;
    assert.equal(outcomeOf("aborted"), "interrupted");
    assert.equal(outcomeOf("timed-out"), "unavailable");
    assert.equal(outcomeOf("unreachable"), "unavailable");
  });

  it("is not what anything else throws", () => {
    const error = new TypeError("a defect");
    assert.equal(asCliError(error), error);
  });
});
