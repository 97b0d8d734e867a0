import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ConfigSources, loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import { CliError } from "../../src/errors.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "strongroom-config-"));
});
after(() => rm(folder, { recursive: true }));

/** Loads with nothing around it unless it is given. */
function load(sources: Partial<ConfigSources> = {}): Promise<LoadedConfig> {
  return loadConfig({ cwd: folder, env: {}, ...sources });
}

async function problemsOf(sources: Partial<ConfigSources>): Promise<readonly string[]> {
  try {
    await load(sources);
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    assert.equal(error.outcome, "usage");
    return error.problems.length > 0 ? error.problems : [error.detail ?? ""];
  }
  return assert.fail("the configuration was accepted");
}

async function withFile<Result>(
  name: string,
  content: string,
  run: (path: string) => Promise<Result>,
): Promise<Result> {
  const path = join(folder, name);
  await writeFile(path, content);
  try {
    return await run(path);
  } finally {
    await rm(path);
  }
}

describe("configuration", () => {
  it("has a default for everything", async () => {
    const { config, file, origins } = await load();
    assert.equal(config.service.port, 8200);
    assert.deepEqual(
      config.kms.regions.map(({ name, port }) => `${name}=${port}`),
      ["eu-west-1=8201", "eu-west-2=8202", "eu-central-1=8203"],
    );
    assert.equal(config.dataDir, join(folder, "strongroom-data"));
    assert.equal(file, null);
    assert.equal(origins.size, 0);
  });

  it("lets a flag win over the environment, and the environment over the file", async () => {
    await withFile(
      "strongroom.config.json",
      '{"service":{"port":1,"host":"::1"},"log":{"level":"warn"}}',
      async (file) => {
        const { config } = await load({
          file,
          env: { STRONGROOM_PORT: "2", STRONGROOM_LOG_LEVEL: "error" },
          flags: [{ path: "service.port", origin: "--port", value: 3 }],
        });
        assert.deepEqual([config.service.port, config.service.host, config.log.level], [3, "::1", "error"]);
      },
    );
  });

  it("lists every problem at once, with where each value came from", async () => {
    const content = JSON.stringify({ service: { prot: 8200 }, keys: { minimum: 5 }, dataDir: "" });
    await withFile("strongroom.config.json", content, async (path) => {
      assert.deepEqual(await problemsOf({ file: path, env: { STRONGROOM_PORT: "http" } }), [
        `dataDir (${path}): must not be empty`,
        "service.port (STRONGROOM_PORT): must be a whole number",
        `service.prot (${path}): is no setting; did you mean port?`,
        `keys.minimum (${path}): asks for 5 wraps, but at most 3 are made (keys.target, or the number of regions)`,
      ]);
    });
  });

  it("refuses a variable that is nearly a setting", async () => {
    assert.deepEqual(await problemsOf({ env: { STRONGROOM_PROT: "1" } }), [
      "STRONGROOM_PROT (environment): is no setting; did you mean STRONGROOM_PORT?",
    ]);
  });

  it("leaves other variables of the prefix alone", async () => {
    await load({ env: { STRONGROOM_SOMETHING_ELSE_ENTIRELY: "1", STRONGROOM_TOKEN: "x" } });
  });

  const refused: readonly { readonly what: string; readonly config: unknown; readonly says: RegExp }[] = [
    {
      what: "an alias, with the reason",
      config: { keys: { regions: [{ region: "eu-west-1", keyArn: "alias/strongroom" }] } },
      says: /keys\.regions\.0\.keyArn .*: is an alias; .*another key tomorrow/,
    },
    {
      what: "an alias's ARN",
      config: { keys: { regions: [{ region: "eu-west-1", keyArn: "arn:aws:kms:eu-west-1:111122223333:alias/x" }] } },
      says: /is an alias/,
    },
    {
      what: "a key of another region",
      config: { keys: { regions: [{ region: "eu-west-1", keyArn: "arn:aws:kms:eu-west-2:111122223333:key/a" }] } },
      says: /is a key of eu-west-2, but the region is eu-west-1/,
    },
    {
      what: "a region named twice",
      config: {
        kms: {
          regions: [
            { name: "eu-west-1", port: 1 },
            { name: "eu-west-1", port: 2 },
          ],
        },
      },
      says: /names the region eu-west-1 twice/,
    },
    {
      what: "a port used twice",
      config: {
        kms: {
          regions: [
            { name: "eu-west-1", port: 7 },
            { name: "eu-west-2", port: 7 },
          ],
        },
      },
      says: /names the port 7 twice/,
    },
    {
      what: "more wraps than regions",
      config: { keys: { target: 4 } },
      says: /keys\.target .*: asks for 4 wraps, but there are 3 regions/,
    },
    {
      what: "an attempt longer than the deadline",
      config: { keys: { attemptTimeoutMs: 3000, deadlineMs: 2000 } },
      says: /a second region would never be tried/,
    },
    { what: "no region at all", config: { kms: { regions: [] } }, says: /must name at least one region/ },
    { what: "a URL that is none", config: { client: { url: "ftp://x" } }, says: /client\.url .*: must be an http/ },
    { what: "something that is no object", config: [1], says: /the configuration.*must be a group of settings/ },
    {
      what: "a setting of another type",
      config: { kms: { allowFaults: "maybe" } },
      says: /kms\.allowFaults .*: must be true or false/,
    },
  ];
  for (const { what, config, says } of refused) {
    it(`refuses ${what}`, async () => {
      await withFile("strongroom.config.json", JSON.stringify(config), async (file) => {
        assert.match((await problemsOf({ file })).join("\n"), says);
      });
    });
  }

  it("takes paths in a file relative to the file, and others relative to the working folder", async () => {
    await withFile("elsewhere.json", '{"dataDir":"data","client":{"tokenFile":"t"}}', async (path) => {
      const { config } = await loadConfig({ cwd: "/", env: { STRONGROOM_TOKEN_FILE: "u" }, file: path });
      assert.equal(config.dataDir, join(folder, "data"));
      assert.equal(config.client.tokenFile, "/u");
    });
  });

  it("reads a TypeScript file with defineConfig", async () => {
    const source = `import { defineConfig } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
      const port: number = 9100;
      export default defineConfig({ service: { port } });`;
    await withFile("strongroom.config.ts", source, async (path) => {
      const { config, file } = await load({ file: path });
      assert.equal(config.service.port, 9100);
      assert.equal(file, path);
    });
  });

  const unreadable: readonly {
    readonly what: string;
    readonly name: string;
    readonly content: string;
    readonly says: RegExp;
  }[] = [
    { what: "JSON that is broken", name: "strongroom.config.json", content: "{", says: /strongroom\.config\.json: / },
    {
      what: "a module without a default export",
      name: "strongroom.config.mjs",
      content: "export const a = 1;",
      says: /has no default export/,
    },
    {
      what: "a module that throws",
      name: "strongroom.config.js",
      content: "throw new Error('on purpose');",
      says: /on purpose/,
    },
  ];
  for (const { what, name, content, says } of unreadable) {
    it(`says what is wrong with ${what}`, async () => {
      await withFile(name, content, async (file) => {
        assert.match((await problemsOf({ file })).join(), says);
      });
    });
  }

  it("takes a schema of a library as it is, also one that contains itself, and a JSON Schema as one thing", async () => {
    const content = `
      const schema = new (class { "~standard" = { version: 1, vendor: "test", validate: (value) => ({ value }) }; own = this })();
      export default { collections: { people: { schema } } };`;
    // A folder of its own: what a module was loaded from, it is for the life of the process.
    const cwd = await mkdtemp(join(folder, "schemas-"));
    const path = join(cwd, "strongroom.config.js");
    await writeFile(path, content);
    const { config } = await load({ cwd, file: path });
    assert.equal(typeof Reflect.get(config.collections["people"]?.schema ?? {}, "~standard"), "object");
    const schema = { type: "object", properties: { a: { type: "string" }, b: { type: "string" } } };
    const json = JSON.stringify({ collections: { cats: { schema } } });
    await withFile("strongroom.config.json", json, async () => {
      assert.deepEqual(await problemsOf({}), ["collections.cats.schema"], "what is to be trusted is one thing");
    });
    const wrong = `{ "collections": { "people": { "schema": "email" } } }`;
    const [problem = ""] = await withFile("strongroom.config.json", wrong, (file) => problemsOf({ file }));
    assert.match(problem, /collections\.people\.schema.* must be a Standard Schema \(zod, …\) or a JSON Schema/);
  });

  it("reads normalisers by their names, and tells the place of everything that is wrong with a field", async () => {
    const fields = (declared: object, indexes: object = {}): string =>
      JSON.stringify({ collections: { people: { fields: declared, indexes } } });
    const found = {
      email: { find: "email", unique: true, mask: "email" },
      phone: { find: "phone:DE" },
      fax: { find: { kind: "phone", country: "FR" } },
      name: { find: "folded-name", values: 50_000, prefix: 4 },
      born: { find: "date", buckets: "month" },
      zip: { find: "postcode" },
      note: { find: "text", values: 5_000 },
      sex: { find: "exact", alone: false, values: 3 },
      cvv: { never: true },
    };
    const who = { fields: ["zip", "sex", "born"] };
    const { config } = await withFile("strongroom.config.json", fields(found, { who }), (file) => load({ file }));
    const { people } = config.collections;
    assert.deepEqual(
      Object.entries(people?.fields ?? {}).map(([path, { find }]) => [path, find?.kind, find?.options]),
      [
        ["email", "email", ""],
        ["phone", "phone", "DE"],
        ["fax", "phone", "FR"],
        ["name", "folded-name", ""],
        ["born", "date", ""],
        ["zip", "postcode", ""],
        ["note", "text", ""],
        ["sex", "exact", ""],
        ["cvv", undefined, undefined],
      ],
    );
    assert.equal(people?.fields?.["phone"]?.find?.normalise("030 1234567"), "=+49301234567");
    const wrong: readonly (readonly [declared: object, says: RegExp])[] = [
      [
        { email: { find: "e-mail" } },
        /collections\.people\.fields\.email\.find .*must be one of date, email.*"phone:DE"/,
      ],
      [{ email: { find: "phone:XX" } }, /collections\.people\.fields\.email\.find .*must be one of/],
      [{ email: { find: "toString" } }, /collections\.people\.fields\.email\.find .*must be one of/],
      [{ email: { find: { kind: "email", country: "DE" } } }, /collections\.people\.fields\.email\.find .*must be/],
      [{ email: { unique: true } }, /collections\.people .*: field "email": without find it has no unique/],
      [
        { email: { find: "email", mask: "stars" } },
        /collections\.people .*: field "email": mask must be one of redact, /,
      ],
      [
        { sex: { find: "exact", values: 3 } },
        /collections\.people .*: field "sex": there are about 3 different values/,
      ],
      [{ email: { find: "email", uniqe: true } }, /collections\.people .*: field "email":.*uniqe/],
    ];
    for (const [declared, says] of wrong)
      await withFile("strongroom.config.json", fields(declared), async (file) => {
        assert.match((await problemsOf({ file })).join("\n"), says);
      });
    const lost = fields({ email: { find: "email" } }, { who: { fields: ["email", "gone"] } });
    await withFile("strongroom.config.json", lost, async (file) => {
      assert.match(
        (await problemsOf({ file })).join(),
        /collections\.people .*: index "who": "gone": no field with find/,
      );
    });
  });

  it("refuses two files in one folder, and a named file that is not there", async () => {
    await withFile("strongroom.config.json", "{}", () =>
      withFile("strongroom.config.mjs", "export default {};", async () => {
        assert.match((await problemsOf({})).join(), /more than one/);
      }),
    );
    assert.match((await problemsOf({ file: "nowhere.json" })).join(), /does not exist/);
  });
});
