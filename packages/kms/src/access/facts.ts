// What is known of a request, as conditions and policy variables ask for it.

/** The values of one condition key. */
export interface Fact {
  /** At least one. A single-valued key has more if names that differ in case only came with different values. */
  readonly values: readonly string[];
  /** Whether AWS calls the key single-valued or multivalued. */
  readonly kind: "single" | "multi";
  /** The value is the default of a parameter that was left out, and `Null` is to say that it was. */
  readonly isNull: boolean;
}

/** Condition key in lower case -> its values. Names of condition keys are not case-sensitive. */
export type Facts = ReadonlyMap<string, Fact>;

/** What can be stated of a single-valued key. */
export type Stated = string | number | boolean | null | undefined;

/** Collects facts. */
export class FactSheet {
  readonly #facts = new Map<string, Fact>();

  get facts(): Facts {
    return this.#facts;
  }

  /** States the value of a single-valued key; `undefined` and `null` state nothing. A later value replaces it. */
  single(name: string, value: Stated, { isNull = false }: { readonly isNull?: boolean } = {}): void {
    if (value === undefined || value === null) return;
    this.#facts.set(name.toLowerCase(), { values: [String(value)], kind: "single", isNull });
  }

  /** States the values of a multivalued key; without any, nothing. */
  multi(name: string, values: readonly unknown[]): void {
    if (values.length === 0) return;
    this.#facts.set(name.toLowerCase(), { values: values.map(String), kind: "multi", isNull: false });
  }

  /**
   * States pairs that a caller names, one key each: `kms:EncryptionContext:` and the name. Names that differ in case
   * only are one key with the values of both: which of them counts must not be for the caller to choose.
   */
  named(prefix: string, pairs: Iterable<readonly [name: string, value: string]>): void {
    const values = new Map<string, string[]>();
    for (const [name, value] of pairs) {
      const key = (prefix + name).toLowerCase();
      const known = values.get(key);
      if (known === undefined) values.set(key, [value]);
      else if (!known.includes(value)) known.push(value);
    }
    for (const [key, all] of values) this.#facts.set(key, { values: all, kind: "single", isNull: false });
  }
}
