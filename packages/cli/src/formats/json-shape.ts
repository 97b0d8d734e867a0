// What the beginning of a JSON text shows of its layout: how many values there are, and where lists of objects stand.
import { JSON_TOKEN, JsonTokenizer } from "@strongroom/base/json";

/** Objects inside of each other that are looked into for lists. */
const SHAPE_DEPTH = 4;

/** What the beginning of a JSON text holds. */
export interface JsonShape {
  /** Paths of lists of objects, through objects only. */
  readonly lists: readonly (readonly string[])[];
  /** Values one after another that end within the sample, and the one that goes on. */
  readonly values: number;
  /** The first object's own names. */
  readonly names: ReadonlySet<string>;
}

/** Reads a beginning in UTF-8, which may end anywhere. */
export function shapeOf(bytes: Uint8Array): JsonShape {
  const lists: string[][] = [];
  const names = new Set<string>();
  const open: { readonly isObject: boolean; name: string; atName: boolean }[] = [];
  let values = 0;
  let start = 0;
  let afterListStart = false;
  new JsonTokenizer().push(bytes, (token, at) => {
    const inside = open.at(-1);
    const begins = token === JSON_TOKEN.objectStart || token === JSON_TOKEN.listStart;
    if (open.length === 0 && (begins || token === JSON_TOKEN.stringStart || token === JSON_TOKEN.scalarStart)) values++;
    if (begins) {
      if (afterListStart && token === JSON_TOKEN.objectStart && open.length >= 2 && open.length <= SHAPE_DEPTH + 1) {
        const outer = open.slice(0, -1);
        if (outer.every(({ isObject }) => isObject)) lists.push(outer.map(({ name }) => name));
      }
      open.push({ isObject: token === JSON_TOKEN.objectStart, name: "", atName: true });
    } else if (token === JSON_TOKEN.objectEnd || token === JSON_TOKEN.listEnd) open.pop();
    else if (token === JSON_TOKEN.comma && inside !== undefined) inside.atName = true;
    else if (token === JSON_TOKEN.colon && inside !== undefined) inside.atName = false;
    else if (token === JSON_TOKEN.stringStart) start = at;
    else if (
      token === JSON_TOKEN.stringEnd &&
      inside?.isObject === true &&
      inside.atName &&
      open.length <= SHAPE_DEPTH
    ) {
      inside.name = nameOf(bytes.subarray(start, at + 1));
      if (open.length === 1 && values === 1) names.add(inside.name);
    }
    afterListStart = token === JSON_TOKEN.listStart;
    return values < 2;
  });
  return { lists, values, names };
}

function nameOf(literal: Uint8Array): string {
  try {
    return JSON.parse(new TextDecoder().decode(literal)) as string;
  } catch {
    return "";
  }
}
