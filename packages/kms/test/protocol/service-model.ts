// What the service model of AWS KMS says of the input of each operation (see extract-service-model.ts), and the cases
// that follow from it: for every member one input that breaks exactly one rule, with the words that AWS has for it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

interface ShapeFacts {
  readonly type: "string" | "blob" | "integer" | "boolean" | "timestamp" | "list" | "map" | "structure";
  /** Member, with `!` if it is required, -> shape. */
  readonly members?: Readonly<Record<string, string>>;
  readonly member?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

interface ServiceFacts {
  /** Operation -> shape of its input. */
  readonly operations: Readonly<Record<string, string>>;
  readonly shapes: Readonly<Record<string, ShapeFacts>>;
}

export const SERVICE: ServiceFacts = JSON.parse(
  readFileSync(join(import.meta.dirname, "service-model.json"), "utf8"),
) as ServiceFacts;

/** An input with one thing wrong, or with nothing wrong at all. */
export interface Case {
  readonly what: string;
  readonly input: unknown;
  readonly expected:
    | { readonly kind: "constraint"; readonly path: string; readonly text: string; readonly enum?: readonly string[] }
    | { readonly kind: "serialization"; readonly text: string }
    /** Taken; `path` is that of the member that is at its limit. */
    | { readonly kind: "taken"; readonly path: string };
}

/** What stands where a value goes: how to put it into an input, and how messages call the place. */
interface Place {
  readonly what: string;
  readonly path: string;
  readonly put: (value: unknown) => unknown;
}

interface Member {
  readonly name: string;
  readonly required: boolean;
  readonly shape: ShapeFacts;
}

const shapeOf = (name: string): ShapeFacts => {
  const shape = SERVICE.shapes[name];
  if (shape === undefined) throw new RangeError(`no shape ${name}`);
  return shape;
};

/** The members of a structure. */
export const membersOf = ({ members = {} }: ShapeFacts): readonly Member[] =>
  Object.entries(members).map(([name, shape]) => ({
    name: name.replace("!", ""),
    required: name.endsWith("!"),
    shape: shapeOf(shape),
  }));

/** The smallest value that a shape takes. */
export function valueFor(shape: ShapeFacts, length: number = shape.min ?? 1): unknown {
  switch (shape.type) {
    case "string":
      return shape.enum?.[0] ?? fitting(shape, Math.max(length, shape.min ?? 0));
    case "blob":
      return Buffer.alloc(length, 1).toString("base64");
    case "integer":
      return shape.min ?? 1;
    case "boolean":
      return true;
    case "timestamp":
      return 1_900_000_000;
    case "list":
      return Array.from({ length }, () => valueFor(shapeOf(shape.member ?? "")));
    case "map":
      return {};
    case "structure":
      return Object.fromEntries(
        membersOf(shape)
          .filter(({ required }) => required)
          .map(({ name, shape: of }) => [name, valueFor(of)]),
      );
  }
}

/** Texts that fit the patterns that say more than which characters there may be. */
const EXAMPLES = [
  "eu-west-1",
  "kms.amazonaws.com",
  "arn:aws:kms:eu-west-1:000000000000:key/x",
  "cluster-abcdefghijk",
  "https://proxy.example.com",
  "/kms/xks/v1",
  "com.amazonaws.vpce.eu-west-1.vpce-svc-0a1b2c3d",
  "123456789012",
];

function fitting({ pattern, min = 0 }: ShapeFacts, length: number): string {
  const fits = new RegExp(`^(?:${pattern ?? "[^]*"})$`);
  const texts = [...EXAMPLES, "a".repeat(length), "A".repeat(length), "1".repeat(length)];
  const found =
    texts.find((text) => fits.test(text) && text.length >= min && (pattern !== undefined || text.length === length)) ??
    "";
  return found;
}

/** All cases of an operation. */
export function casesOf(operation: string): readonly Case[] {
  const input = shapeOf(SERVICE.operations[operation] ?? "");
  const cases = [...structureCases(input, { what: "input", path: "", put: (value) => value })];
  return cases;
}

function* structureCases(shape: ShapeFacts, { what, path, put }: Place): Generator<Case> {
  const valid = valueFor(shape) as Record<string, unknown>;
  for (const { name, required, shape: of } of membersOf(shape)) {
    const at = `${path === "" ? "" : `${path}.`}${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const place: Place = { what: `${what}.${name}`, path: at, put: (value) => put({ ...valid, [name]: value }) };
    const missing: Case["expected"] = required
      ? {
          kind: "constraint",
          path: at,
          text: `Value null at '${at}' failed to satisfy constraint: Member must not be null`,
        }
      : { kind: "taken", path: at };
    const without = Object.fromEntries(Object.entries(valid).filter(([other]) => other !== name));
    yield { what: `${place.what} missing`, input: put(without), expected: missing };
    yield { what: `${place.what} null`, input: place.put(null), expected: missing };
    yield* valueCases(of, place);
  }
}

/** What the wrong type for each type is, and how the answer names the two. */
const WRONG: Readonly<Record<ShapeFacts["type"], { readonly value: unknown; readonly text: string }>> = {
  string: { value: 7, text: "NUMBER_VALUE can not be converted to a String" },
  blob: { value: true, text: "TRUE_VALUE can not be converted to a Blob" },
  integer: { value: "7", text: "STRING_VALUE can not be converted to an Integer" },
  boolean: { value: "true", text: "STRING_VALUE can not be converted to a Boolean" },
  timestamp: { value: "2030-01-01", text: "STRING_VALUE can not be converted to a Timestamp" },
  list: { value: {}, text: "START_OBJECT can not be converted to a List" },
  map: { value: [], text: "START_ARRAY can not be converted to a Map" },
  structure: { value: "x", text: "STRING_VALUE can not be converted to a Structure" },
};

function* valueCases(shape: ShapeFacts, place: Place): Generator<Case> {
  const wrong = WRONG[shape.type];
  yield {
    what: `${place.what} of a wrong type`,
    input: place.put(wrong.value),
    expected: { kind: "serialization", text: wrong.text },
  };
  yield* limitCases(shape, place);
  if (shape.pattern !== undefined) yield patternCase(shape, place, shape.pattern);
  if (shape.enum !== undefined) yield enumCase(shape.enum, place);
  if (shape.type === "structure") yield* structureCases(shape, place);
  if (shape.type === "list" && shape.member !== undefined)
    yield* valueCases(shapeOf(shape.member), {
      what: `${place.what}[0]`,
      path: `${place.path}.1.member`,
      put: (value) => place.put([value]),
    });
}

function* limitCases(shape: ShapeFacts, place: Place): Generator<Case> {
  const noun = shape.type === "integer" ? "value" : "length";
  const sides = [
    { limit: shape.min, beyond: -1, words: "greater" },
    { limit: shape.max, beyond: 1, words: "less" },
  ];
  for (const { limit, beyond, words } of sides) {
    if (limit === undefined) continue;
    const at = (size: number): unknown => (noun === "value" ? size : sized(shape, size));
    const text = `Member must have ${noun} ${words} than or equal to ${limit}`;
    yield {
      what: `${place.what} at ${limit}`,
      input: place.put(at(limit)),
      expected: { kind: "taken", path: place.path },
    };
    if (limit + beyond < 0) continue;
    yield {
      what: `${place.what} at ${limit + beyond}`,
      input: place.put(at(limit + beyond)),
      expected: {
        kind: "constraint",
        path: place.path,
        text: `${echoOf(shape, at(limit + beyond), place)} failed to satisfy constraint: ${text}`,
      },
    };
  }
}

/** A value of that length; whether it fits the pattern as well does not matter to what is asked of the length. */
function sized(shape: ShapeFacts, length: number): unknown {
  if (shape.type === "blob") return Buffer.alloc(length, 1).toString("base64");
  if (shape.type === "list") return Array.from({ length }, () => valueFor(shapeOf(shape.member ?? "")));
  return "a".repeat(length);
}

function patternCase(shape: ShapeFacts, place: Place, pattern: string): Case {
  const value = "\u{1F511}".repeat(Math.max(1, Math.ceil((shape.min ?? 0) / 2)));
  const text = `${echoOf(shape, value, place)} failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern}`;
  return {
    what: `${place.what} against its pattern`,
    input: place.put(value),
    expected: { kind: "constraint", path: place.path, text },
  };
}

function enumCase(values: readonly string[], place: Place): Case {
  const text = `Value 'UNKNOWN' at '${place.path}' failed to satisfy constraint: Member must satisfy enum value set: [`;
  return {
    what: `${place.what} not in its enum`,
    input: place.put("UNKNOWN"),
    expected: { kind: "constraint", path: place.path, text, enum: values },
  };
}

/** Grant tokens are credentials: the answer, which is put on record, does not repeat them, though AWS's does. */
const WITHHELD = /^(?:grantTokens|grantToken)\b/;

function echoOf(shape: ShapeFacts, value: unknown, { path }: Place): string {
  if (shape.sensitive === true || WITHHELD.test(path)) return `Value at '${path}'`;
  if (shape.type === "blob") {
    const { length } = Buffer.from(String(value), "base64");
    return `Value 'java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]' at '${path}'`;
  }
  return `Value '${Array.isArray(value) ? `[${value.join(", ")}]` : String(value).slice(0, 4096)}' at '${path}'`;
}
