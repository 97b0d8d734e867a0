import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ran, run } from "./example.ts";

describe("a program", () => {
  it("runs commands of one word, of two, those that are groups too, and those of a table that is mounted", async () => {
    for (const name of ["list", "list empty", "shelf add", "cellar list", "cellar list empty", "cellar shelf add"]) {
      const args = name.endsWith("add") ? ["flour"] : [];
      const { exit, stdout } = await run([...name.split(" "), ...args]);
      assert.deepEqual([exit, stdout], [0, `ran ${name.replace("cellar ", "")}\n`], name);
      assert.deepEqual(ran.last?.args, args);
    }
    assert.equal((await run(["list", "--json"])).stdout, '{"name":"list"}\n');
    assert.equal((await run(["--version"])).stdout, "1.2.3\n");
  });

  it("reads options, and gives the flags of settings to their table", async () => {
    await run(["list", "--limit", "3", "--tag", "a", "--tag", "b", "--all", "--port", "9", "--data-dir", "x", "top"]);
    assert.ok(ran.last !== null);
    assert.deepEqual(ran.last.options, { limit: 3, tag: ["a", "b"], all: true });
    assert.deepEqual(ran.last.args, ["top"]);
    assert.deepEqual((ran.last.loaded as { flags: unknown }).flags, [
      { path: "dataDir", origin: "--data-dir", value: "/somewhere/x" },
      { path: "port", origin: "--port", value: 9 },
    ]);
  });

  it("lists every wrong option", async () => {
    const { exit, stderr } = await run(["list", "--limit", "many", "--format", "xml"]);
    assert.equal(exit, 2);
    assert.equal(
      stderr,
      "pantry: The command was not understood [usage]\n" +
        "  - --format must be one of csv, json\n" +
        "  - --limit must be a whole number from 1 to 100\n" +
        "  Run pantry list --help: it lists arguments, options and examples.\n",
    );
  });

  it("asks what was meant, of commands at every depth and of options", async () => {
    for (const [argv, meant] of [
      [["lsit"], /unknown command 'lsit'\n\(Did you mean list\?\)/],
      [["cellar", "shelf", "ad"], /Did you mean add\?/],
      [["list", "--lmit", "3"], /unknown option '--lmit'\n\(Did you mean --limit\?\)/],
    ] as const) {
      const { exit, stderr } = await run(argv);
      assert.equal(exit, 2);
      assert.match(stderr, meant);
    }
  });

  it("tells an error of any package by its row, and a defect without its stack", async () => {
    const failed = await run(["fail"]);
    assert.equal(failed.exit, 3);
    assert.equal(
      failed.stderr,
      "pantry: The shelf is empty [shelf-empty]\n  shelf 3.\n  - no flour\n  - no salt\n  Fill it.\n",
    );
    const broken = await run(["break"]);
    assert.equal(broken.exit, 1);
    assert.match(broken.stderr, /^pantry: Something unexpected went wrong \[unexpected\]\n {2}TypeError: a defect\.\n/);
    assert.doesNotMatch(broken.stderr, /at .*\.ts/);
  });

  it("writes every error as JSON of one shape", async () => {
    const keys = ["code", "title", "detail", "problems", "remedy", "exit"];
    for (const argv of [["fail"], ["break"], ["lsit"], ["list", "--lmit"], ["list", "--limit", "0"], ["shelf"]]) {
      const { exit, stdout, stderr } = await run([...argv, "--json"]);
      const { error } = JSON.parse(stderr) as { error: Record<string, unknown> };
      assert.deepEqual(Object.keys(error), keys, argv.join(" "));
      assert.equal(error["exit"], exit);
      assert.equal(stdout, "");
    }
  });

  it("ends with the outcome that a command asks for, and says what was interrupted", async () => {
    assert.equal((await run(["shelf", "check"])).exit, 4);
    const { exit, stderr } = await run(["break"], {}, AbortSignal.abort());
    assert.equal(exit, 130);
    assert.match(stderr, /^pantry: Interrupted\n/);
  });

  it("shows examples in the words of the program it is mounted in", async () => {
    assert.match((await run(["list", "--help"])).stdout, /\n {2}npx pantry list\n/);
    assert.match((await run(["cellar", "list", "--help"])).stdout, /\n {2}npx pantry cellar list\n/);
    assert.match((await run(["list", "--help"])).stdout, /--port <n> +port of the service \(default: 80\)/);
    assert.doesNotMatch((await run(["cellar", "list", "--help"])).stdout, /--config/);
  });
});
