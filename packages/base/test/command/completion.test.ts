import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { COMPLETION_SCRIPTS, type Shell } from "../../src/command/completion-scripts.ts";
import { run } from "./example.ts";

const has = (shell: Shell): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** What is to be completed, and some of what is offered; nothing else with the same beginning. */
const CASES: readonly (readonly [line: readonly string[], offered: readonly string[]])[] = [
  [["l"], ["list"]],
  [["list", "--fo"], ["--format"]],
  [
    ["list", "--format", ""],
    ["csv", "json"],
  ],
  [["list", "--format", "j"], ["json"]],
  [["list", "e"], ["empty"]],
  [["list", "--po"], ["--port"]],
  [
    ["shelf", ""],
    ["add", "check", "--help"],
  ],
  [["cellar", "shelf", "a"], ["add"]],
  [["cellar", "list", "--limit", ""], []],
  [["completion", "b"], ["bash"]],
  [["read", "/etc/host"], ["/etc/hosts"]],
];

async function script(shell: Shell): Promise<string> {
  const { exit, stdout } = await run(["completion", shell]);
  assert.equal(exit, 0);
  return stdout;
}

describe("completion", () => {
  it("is printed for every shell, and for no other", async () => {
    for (const shell of Object.keys(COMPLETION_SCRIPTS) as Shell[])
      assert.match(await script(shell), new RegExp(`^(#compdef pantry\\n)?# ${shell} completion of pantry`));
    const { exit, stderr } = await run(["completion", "cmd"]);
    assert.equal(exit, 2);
    assert.match(stderr, /The shell must be one of bash, zsh, fish\./);
  });

  it("completes commands, options and their words in bash", async () => {
    const source = await script("bash");
    for (const [line, offered] of CASES) {
      const words = ["pantry", ...line].map((word) => `'${word}'`).join(" ");
      const { stdout, stderr } = spawnSync(
        "bash",
        [
          "--norc",
          "-c",
          `${source}\nCOMP_WORDS=(${words}); COMP_CWORD=${line.length}; _pantry; printf '%s\\n' "\${COMPREPLY[@]}"`,
        ],
        { encoding: "utf8" },
      );
      assert.equal(stderr, "", line.join(" "));
      assert.deepEqual(
        stdout.split("\n").filter((word) => word !== "" && word !== "/etc/host.conf" && word !== "/etc/hostname"),
        offered,
        line.join(" "),
      );
    }
    // bash cuts --format=j into three words.
    const cut = `COMP_WORDS=(pantry list --format = j); COMP_CWORD=4; _pantry; echo "\${COMPREPLY[*]}"`;
    assert.equal(spawnSync("bash", ["--norc", "-c", `${source}\n${cut}`], { encoding: "utf8" }).stdout, "json\n");
    const bound = spawnSync("bash", ["--norc", "-c", `${source}\ncomplete -p pantry`], { encoding: "utf8" });
    assert.equal(bound.stdout, "complete -F _pantry pantry\n");
  });

  it("completes the same in fish", { skip: !has("fish") && "there is no fish here" }, async () => {
    const source = await script("fish");
    for (const [line, offered] of CASES) {
      const typed = ["pantry", ...line].join(" ");
      const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", `${source}\ncomplete -C '${typed}'`], {
        encoding: "utf8",
      });
      assert.equal(stderr, "", typed);
      const words = stdout.split("\n").map((row) => row.split("\t")[0] ?? "");
      for (const word of offered.filter((one) => !one.startsWith("-") || line.at(-1)?.startsWith("-") === true))
        assert.ok(words.includes(word), `${typed}: ${words.join(" ")}`);
    }
  });

  it(
    "is a script that zsh takes, and that offers words there",
    { skip: !has("zsh") && "there is no zsh here" },
    async () => {
      const source = await script("zsh");
      for (const [line, offered] of CASES) {
        const words = ["pantry", ...line].map((word) => `'${word}'`).join(" ");
        // The functions of zsh's own completion system, as what they are called with.
        const stubs = `compdef() { :; }; _files() { print -l /etc/hosts; }; compadd() { shift; print -l -- $@; }
_describe() { local item; for item in \${(P)2}; do print -- "\${item%%:*}"; done; }`;
        const { stdout, stderr } = spawnSync(
          "zsh",
          ["-f", "-c", `${stubs}\n${source}\nwords=(${words}); CURRENT=${line.length + 1}; _pantry`],
          { encoding: "utf8" },
        );
        assert.equal(stderr, "", line.join(" "));
        for (const word of offered) assert.ok(stdout.split("\n").includes(word), `${line.join(" ")}: ${stdout}`);
      }
    },
  );
});
