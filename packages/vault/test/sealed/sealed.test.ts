/** A sealed value gets out by `expose` and `use`, and by none of the ways that values get out by accident. */
import assert from "node:assert/strict";
import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import { MessageChannel } from "node:worker_threads";
import pino from "pino";
import { Sealed, sealFields } from "@strongroom/vault";

const SECRET = "ada.lovelace@example.com";
const sealed = (): Sealed<string> => new Sealed(SECRET);

test("it is given by expose and use", () => {
  assert.equal(sealed().expose(), SECRET);
  assert.equal(
    sealed().use((text) => text.length),
    SECRET.length,
  );
  assert.deepEqual(new Sealed({ a: 1 }).expose(), { a: 1 });
});

function printed(print: (console: Console) => void): string {
  const out = new PassThrough();
  print(new Console({ stdout: out, stderr: out }));
  return String(out.read() ?? "");
}

function logged(write: (log: pino.Logger) => void): string {
  const lines: string[] = [];
  write(pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }));
  return lines.join("");
}

const failed = (): Error => new Error("it failed", { cause: { of: sealed() } });

/** Way -> the text that comes out of it. */
const PRINTED: Readonly<Record<string, () => string>> = {
  "String()": () => String(sealed()),
  "a template": () => `${sealed().toString()} ${String(sealed())}`,
  "+": () => "a " + (sealed() as unknown as string),
  concat: () => "".concat(sealed() as unknown as string),
  join: () => [sealed()].join(),
  toLocaleString: () => [sealed()].toLocaleString(),
  "a key of an object": () => Object.keys({ [sealed() as unknown as string]: 1 }).join(),
  "JSON.stringify": () => JSON.stringify({ of: [sealed()], at: sealed() }, null, 2),
  "JSON.stringify with a replacer": () => JSON.stringify({ a: sealed() }, (_, value: unknown) => value),
  inspect: () => inspect(sealed()),
  "inspect of what it is in": () => inspect({ a: [new Map([["k", sealed()]])] }, { depth: 9, showHidden: true }),
  "inspect that asks for everything": () =>
    inspect(sealed(), { customInspect: false, showHidden: true, getters: true, showProxy: true, depth: 9 }),
  "format %s %j %o %O %d %i": () => format("%s %j %o %O %d %i", ...Array.from({ length: 6 }, sealed)),
  "console.log": () =>
    printed((to) => {
      to.log(sealed(), { sealed: sealed() });
    }),
  "console.dir": () =>
    printed((to) => {
      to.dir(sealed(), { customInspect: false, showHidden: true });
    }),
  "console.table": () =>
    printed((to) => {
      to.table([{ of: sealed() }]);
    }),
  "console.error of an error": () =>
    printed((to) => {
      to.error(failed());
    }),
  "an error's message": () => new Error(`of ${String(sealed())}`).message,
  "an error's cause": () => inspect(failed()),
  "an error's stack": () => failed().stack ?? "",
  "assert's difference": () => {
    try {
      assert.deepEqual({ a: sealed() }, { a: 1 });
    } catch (error) {
      return (error as Error).message;
    }
    return "equal";
  },
  pino: () =>
    logged((log) => {
      log.info({ of: sealed(), in: { a: [sealed()] } }, "told");
    }),
  "pino, of an error": () =>
    logged((log) => {
      log.error(failed());
    }),
  "pino, in a message": () =>
    logged((log) => {
      log.info("%s %o %j", sealed(), sealed(), sealed());
    }),
  "its own members": () => JSON.stringify(Reflect.ownKeys(sealed()).map(String)),
  "members of its kind": () => inspect(Object.getOwnPropertyDescriptors(Sealed.prototype)),
};

describe("it is not printed by", () => {
  for (const [way, print] of Object.entries(PRINTED))
    test(way, () => {
      const text = print();
      assert.ok(!text.includes(SECRET) && !text.includes("lovelace"), text);
      assert.ok(text.length > 0);
    });
});

/** Way of copying -> a copy of it. */
const COPIED: Readonly<Record<string, () => unknown>> = {
  // eslint-disable-next-line @typescript-eslint/no-misused-spread -- that nothing of it is copied is what is tested
  "a spread": () => ({ ...sealed() }),
  "Object.assign": () => Object.assign({}, sealed()),
  "Object.entries": () => Object.entries(sealed()),
  structuredClone: () => structuredClone(sealed()),
  "structuredClone of what it is in": () => structuredClone({ a: [sealed()] }),
  "v8.serialize": () => serialize(sealed()),
  "a message to another thread": () => {
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(sealed());
    } finally {
      port1.close();
      port2.close();
    }
  },
};

describe("it is not copied by", () => {
  for (const [way, copy] of Object.entries(COPIED))
    test(way, () => {
      assert.throws(copy, (error: unknown) => error instanceof Error && !inspect(error).includes(SECRET));
    });
});

test("no member can be put on it, and none of its own be taken for another", () => {
  const one = sealed();
  assert.throws(() => Object.assign(one, { expose: () => "x" }), TypeError);
  assert.throws(() => {
    (one as unknown as { toJSON: () => string }).toJSON = () => one.expose();
  }, TypeError);
  assert.equal(JSON.stringify(one), '"[sealed]"');
});

test("of a document the fields that are named are sealed, in lists and objects, and the others are as they were", () => {
  const document = {
    email: SECRET,
    address: { postcode: SECRET, city: "London" },
    phones: [{ number: SECRET, kind: "work" }, SECRET, [{ number: SECRET }]],
    empty: null,
  };
  const of = sealFields(document, ["email", "address.postcode", "phones.number", "empty", "gone", "__proto__"]);
  const text = '{"email":"[sealed]","address":{"postcode":"[sealed]","city":"London"},';
  assert.ok(JSON.stringify(of).startsWith(text), JSON.stringify(of));
  assert.equal((of["email"] as Sealed<string>).expose(), SECRET);
  assert.equal(inspect(of["phones"]).includes(`number: '${SECRET}'`), false);
  assert.equal((of["empty"] as Sealed<null>).expose(), null);
  assert.ok(!Object.hasOwn(of, "gone") && !Object.hasOwn(of, "__proto__"));
});
