/**
 * What the compiler takes for a document, and what it refuses with which words: each line after a `@ts-expect-error` is
 * refused, and what follows that mark is in the compiler's message. Compiled by documents.test.ts, never run.
 */
import type { JsonObject, Storable, TypedCollection, Vault, VaultRecord } from "@strongroom/vault";

interface Address {
  readonly street: string;
  readonly position: readonly [number, number] | null;
}

interface User {
  name: string;
  born?: number;
  readonly address: Address;
  tags: string[];
  friends: User[];
  state: "active" | "closed";
  settings: Record<string, boolean>;
}

/** Members that may all be left out. */
interface Preferences {
  theme?: string;
  size?: number;
}

interface WithDate {
  name: string;
  born: Date;
}
interface WithOptionalDate {
  born?: Date;
}
interface DeepInside {
  lists: { amounts: bigint[] }[];
}
interface WithUndefined {
  name: string | undefined;
}
interface WithUnknown {
  anything: unknown;
}
interface WithFunction {
  greet: () => string;
}
interface WithSymbol {
  mark: symbol;
}
interface WithMap {
  names: Map<string, string>;
}
class Customer {
  name = "Ada";
  greeting(): string {
    return `Dear ${this.name}`;
  }
}

declare const vault: Vault;
declare const user: User;
declare const preferences: Preferences;
declare const object: JsonObject;
declare const untyped: Record<string, unknown>;
declare const date: WithDate;
declare const optionalDate: WithOptionalDate;
declare const deep: DeepInside;
declare const withUndefined: WithUndefined;
declare const withUnknown: WithUnknown;
declare const withFunction: WithFunction;
declare const withSymbol: WithSymbol;
declare const withMap: WithMap;
declare function print(...values: readonly unknown[]): void;

const ada = { collection: "people", id: "42" };

/** Taken. */
export const taken: readonly Promise<unknown>[] = [
  vault.put(ada, user),
  vault.put(ada, user, { expect: { kind: "absent" } }),
  vault.put(ada, preferences),
  vault.put(ada, object),
  vault.put(ada, {}),
  vault.put(ada, { name: "Ada", languages: ["en", "fr"], born: { year: 1815 }, died: null } as const),
  vault.put(ada, { name: "Ada", friends: [user], more: { user } }),
  vault.putMany("people", [{ id: "42", document: user, subject: "person-42" }], { onExisting: "compare" }),
  vault.putMany("people", [{ id: "42", document: { name: "Ada" } }], { onExisting: "keep" }),
];

/** A function of the caller's own over any document. */
export async function store<Document extends JsonObject>(document: Document): Promise<Document> {
  await vault.put(ada, document);
  return document;
}
export async function storeOwn<Document extends object>(document: Document & Storable<Document>): Promise<number> {
  return (await vault.put<Document>(ada, document)).version;
}

/** Refused. */
export function refused(): void {
  // @ts-expect-error NotJson<"an object with methods (a Date, a Map, an instance of a class): convert it first">
  void vault.put(ada, date);
  // @ts-expect-error NotJson<"an object with methods
  void vault.put(ada, optionalDate);
  // @ts-expect-error Type 'Date' is not assignable
  void vault.put(ada, { born: new Date(0) });
  // @ts-expect-error NotJson<"an object with methods
  void vault.put(ada, new Customer());
  // @ts-expect-error NotJson<"an object with methods
  void vault.put(ada, new Map([["name", "Ada"]]));
  // @ts-expect-error NotJson<"an object with methods
  void vault.put(ada, withMap);
  // @ts-expect-error NotJson<"a bigint: make it a string">
  void vault.put(ada, deep);
  // @ts-expect-error Type 'bigint' is not assignable
  void vault.put(ada, { amount: 1n });
  // @ts-expect-error Type 'undefined' is not assignable
  void vault.put(ada, withUndefined);
  // @ts-expect-error NotJson<"an object with methods
  void vault.put(ada, withFunction);
  // @ts-expect-error NotJson<"a symbol">
  void vault.put(ada, withSymbol);
  // @ts-expect-error NotJson<"unknown or object: say what is in it">
  void vault.put(ada, withUnknown);
  // @ts-expect-error Argument of type 'Record<string, unknown>' is not assignable
  void vault.put(ada, untyped);
  // @ts-expect-error Argument of type 'string[]' is not assignable
  void vault.put(ada, ["a list"]);
  // @ts-expect-error Argument of type 'string' is not assignable
  void vault.put(ada, "text");
  // @ts-expect-error NotJson<"an object with methods
  void vault.putMany("people", [{ id: "42", document: date }], { onExisting: "keep" });
}

/** A typed collection. */
export async function typed(): Promise<void> {
  const users: TypedCollection<User> = vault.collection<User>("users");
  const record: VaultRecord<User> = await users.get("42", { version: 1 });
  const year: number | undefined = record.document.born;
  await users.put("42", { ...record.document, tags: ["seen", String(year)] }, { subject: "person-42" });
  await users.putMany([{ id: "42", document: record.document }], { onExisting: "replace" });
  const versions: readonly { readonly version: number }[] = await users.history("42");
  const { lastVersion } = await users.remove("42", { expect: { kind: "version", version: versions.length } });
  const { items, next } = await users.list({ limit: lastVersion });
  print(items[0]?.id, next);

  const untypedCollection: TypedCollection = vault.collection("people");
  const found: JsonObject = (await untypedCollection.get("42")).document;
  const plain: JsonObject = (await vault.get(ada)).document;
  print(found, plain, vault.collection<Preferences>("preferences"));

  // @ts-expect-error 'nickname' does not exist in type 'User'
  await users.put("42", { ...user, nickname: "Ada" });
  // @ts-expect-error Property 'tags' is missing
  await users.put("42", { name: "Ada", address: user.address, friends: [], state: "active", settings: {} });
  // @ts-expect-error Property 'nickname' does not exist on type 'User'
  print(record.document.nickname);
  // @ts-expect-error NotJson<"an object with methods
  void vault.collection<WithDate>("users");
  // @ts-expect-error NotJson<"a bigint: make it a string">
  void vault.collection<DeepInside>("users");
  // @ts-expect-error NotJson<"a function">
  void vault.collection<Customer>("users");
  // @ts-expect-error 'string[]' does not satisfy the constraint
  void vault.collection<string[]>("users");
}
