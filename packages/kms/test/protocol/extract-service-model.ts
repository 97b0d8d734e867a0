// Takes from a service model of AWS KMS what it says of inputs, and nothing else: which members there are, of which
// shape, which must be there, and the limits of each shape. The result is service-model.json beside this file.
//
//     node packages/kms/test/protocol/extract-service-model.ts service-2.json > packages/kms/test/protocol/service-model.json
//
// The model is botocore's data/kms/2014-11-01/service-2.json (Apache-2.0).

import { readFileSync } from "node:fs";

interface ModelShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly required?: readonly string[];
  readonly member?: { readonly shape: string };
  readonly enum?: readonly string[];
  readonly [limit: string]: unknown;
}

interface Model {
  readonly operations: Readonly<Record<string, { readonly input: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

const { operations, shapes } = JSON.parse(readFileSync(process.argv[2] ?? "service-2.json", "utf8")) as Model;
const taken = new Map<string, object>();

function take(name: string): string {
  const shape = shapes[name];
  if (shape === undefined) throw new RangeError(`no shape ${name}`);
  if (taken.has(name)) return name;
  const { type, members, required = [], member, min, max, pattern, sensitive } = shape;
  taken.set(name, {
    type,
    ...(members && {
      members: Object.fromEntries(
        Object.entries(members).map(([key, { shape: of }]) => [required.includes(key) ? `${key}!` : key, take(of)]),
      ),
    }),
    ...(member && { member: take(member.shape) }),
    ...Object.fromEntries(
      Object.entries({ min, max, pattern, sensitive, enum: shape.enum }).filter(([, value]) => value !== undefined),
    ),
  });
  return name;
}

const inputs = Object.entries(operations).map(([name, { input }]) => [name, take(input.shape)] as const);
const lines = (entries: Iterable<readonly [string, unknown]>): string =>
  [...entries].map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(",\n");
process.stdout.write(`{
  "operations": {
${lines(inputs)}
  },
  "shapes": {
${lines([...taken].toSorted(([a], [b]) => (a < b ? -1 : 1)))}
  }
}
`);
