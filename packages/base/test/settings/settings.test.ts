import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import {
  absolutePaths,
  asBoolean,
  asInteger,
  asListOf,
  asPath,
  asText,
  givenByEnvironment,
  mistypedVariables,
  problemLine,
  settingsSchema,
  settingsTable,
  type SettingTable,
  settle,
} from "../../src/settings/index.ts";

const TABLE: SettingTable = {
  dataDir: {
    schema: z.string().min(1, "must not be empty"),
    default: "data",
    meaning: "folder",
    paths: [[]],
    ways: [{ env: "PANTRY_DATA_DIR", flag: "--data-dir <dir>", reading: asPath }],
  },
  service: {
    port: {
      schema: z.int("must be a whole number"),
      default: 80,
      meaning: "port | door",
      ways: [{ env: "PANTRY_PORT", flag: "--port <n>", reading: asInteger }],
    },
    shelves: {
      schema: z.array(z.strictObject({ name: z.string(), file: z.string().optional() })),
      standard: "all",
      meaning: "shelves",
      paths: [["*", "file"]],
      ways: [],
    },
  },
  key: {
    schema: z.union([z.object({ file: z.string() }), z.object({ word: z.string() })]),
    meaning: "the key",
    ways: [
      { env: "PANTRY_KEY_FILE", flag: "--key-file <file>", reading: (file) => ({ file }), meaning: "its file" },
      { env: "PANTRY_KEY_WORD", flag: "--key-word <word>", reading: (word) => ({ word }), meaning: "its word" },
    ],
  },
};
const schema = settingsSchema<Record<string, unknown>>(TABLE);
const linesOf = (raw: unknown, given: Parameters<typeof settle>[0]["given"] = []): readonly string[] => {
  const { problems, origins } = settle({ schema, raw, rawOrigin: "pantry.json", given });
  return problems.map((problem) => problemLine(problem, origins));
};

describe("settings", () => {
  it("have their defaults, and the values of file, environment and flags, later ones winning", () => {
    assert.deepEqual(settle({ schema, raw: {}, given: [] }).values, { dataDir: "data", service: { port: 80 } });
    const env = { PANTRY_PORT: "2", PANTRY_DATA_DIR: "x" };
    const given = [...givenByEnvironment(TABLE, env, "/here"), { path: "service.port", origin: "--port", value: 3 }];
    const { values, origins } = settle({ schema, raw: { service: { port: 1, shelves: [] } }, rawOrigin: "f", given });
    assert.deepEqual(values, { dataDir: "/here/x", service: { port: 3, shelves: [] } });
    assert.deepEqual([...origins].sort(), [
      ["dataDir", "PANTRY_DATA_DIR"],
      ["service.port", "--port"],
      ["service.shelves", "f"],
    ]);
  });

  it("say every problem with where its value came from", () => {
    assert.deepEqual(linesOf({ service: { prot: 1, shelves: [{ nam: "a" }] }, dataDir: "" }), [
      "dataDir (pantry.json): must not be empty",
      "service.shelves.0.name (pantry.json): must be a text",
      "service.shelves.0.nam (pantry.json): is no setting; did you mean name?",
      "service.prot (pantry.json): is no setting; did you mean port?",
    ]);
    assert.deepEqual(linesOf({}, [{ path: "service.port", origin: "PANTRY_PORT", value: "http" }]), [
      "service.port (PANTRY_PORT): must be a whole number",
    ]);
    assert.deepEqual(linesOf([1]), ["the configuration: must be a group of settings ({ … })"]);
  });

  it("are given in one way, where there are several, except that a flag goes before a variable", () => {
    const file = { path: "key", origin: "--key-file", value: { file: "a" } };
    assert.deepEqual(linesOf({}, [file, { path: "key", origin: "--key-word", value: { word: "b" } }]), [
      "key (--key-word): is given by --key-file and by --key-word: give one of them",
    ]);
    assert.deepEqual(linesOf({}, [{ path: "key", origin: "PANTRY_KEY_WORD", value: { word: "b" } }, file]), []);
  });

  it("read texts, and leave what they cannot read for the schema to refuse", () => {
    assert.deepEqual([asInteger("12", "/"), asInteger("1e3", "/"), asInteger("", "/")], [12, "1e3", ""]);
    assert.deepEqual([asBoolean("Yes", "/"), asBoolean("0", "/"), asBoolean("maybe", "/")], [true, false, "maybe"]);
    assert.deepEqual([asPath("a", "/b"), asPath("/c", "/b"), asPath("", "/b")], ["/b/a", "/c", ""]);
    assert.deepEqual(asListOf(asText)("a, b", "/"), ["a", "b"]);
  });

  it("have paths that are relative to their file", () => {
    const value = { dataDir: "d", service: { port: 1, shelves: [{ name: "a", file: "f" }, 7] }, other: "o" };
    assert.deepEqual(absolutePaths(TABLE, value, "/etc"), {
      dataDir: "/etc/d",
      service: { port: 1, shelves: [{ name: "a", file: "/etc/f" }, 7] },
      other: "o",
    });
  });

  it("notice a variable that is nearly one of theirs, and leave others alone", () => {
    const known = { prefix: "PANTRY_", table: TABLE, others: ["PANTRY_TOKEN"] };
    assert.deepEqual(mistypedVariables(known, { PANTRY_PROT: "1", PANTRY_TOKEN: "x", PANTRY_ELSEWHERE: "1", P: "" }), [
      "PANTRY_PROT (environment): is no setting; did you mean PANTRY_PORT?",
    ]);
  });

  it("are documented one a line", () => {
    assert.deepEqual(settingsTable(TABLE).slice(2), [
      "| `dataDir` | `PANTRY_DATA_DIR` | `--data-dir <dir>` | data | folder |",
      "| `service.port` | `PANTRY_PORT` | `--port <n>` | 80 | port \\| door |",
      "| `service.shelves` |  |  | all | shelves |",
      "| `key` | `PANTRY_KEY_FILE`<br>`PANTRY_KEY_WORD` | `--key-file <file>`<br>`--key-word <word>` |  | the key; `--key-file <file>`: its file; `--key-word <word>`: its word |",
    ]);
  });
});
