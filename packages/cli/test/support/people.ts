// For tests: invented people, by a seeded generator.

/** An invented person. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly born: string;
  readonly email: string;
  readonly address: { readonly street: string; readonly zip: string };
  readonly tags: readonly (string | number | null)[];
  readonly note?: string;
}

const SYLLABLES = ["ka", "lo", "mir", "ön", "ſa", "the", "zu", "ğı", "Њ", "ぬ", "雲", "עט", "نو", "🦊", "é", "ß"];

/** Makes so many people with ids p-1, p-2 …; the same for the same generator. */
export function generatePeople(count: number, random: () => number): readonly Person[] {
  const pick = (): string => SYLLABLES[Math.floor(random() * SYLLABLES.length)] ?? "";
  const word = (): string => pick() + pick() + pick();
  const number = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: count }, (_, index) => ({
    id: `p-${index + 1}`,
    name: `${word()} ${word()}`,
    born: `19${10 + number(90)}-0${1 + number(9)}-1${number(10)}`,
    email: `${number(1e9)}@example.org`,
    address: { street: `${word()} ${number(100)}`, zip: String(10_000 + number(90_000)) },
    tags: [word(), number(10), null],
    ...(random() < 0.2 ? { note: word().repeat(number(200)) } : {}),
  }));
}
