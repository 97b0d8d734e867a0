/**
 * Notes of what is in memory.
 */
import { behindPrefix, MOST_NOTES, takeNote, takePrefix } from "../note-limits.ts";
import type { Notes } from "../notes.ts";
import type { Opened } from "./opened.ts";
import type { MemoryTables } from "./tables.ts";

export function memoryNotes(opened: Opened<MemoryTables>): Notes {
  const { notes } = opened.tables;
  return {
    list: (prefix) =>
      opened.read(() => {
        const first = takePrefix(prefix);
        if (first === null) return [];
        const behind = behindPrefix(first);
        return [...notes]
          .filter(([name]) => name >= first && name < behind)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, MOST_NOTES)
          .map(([name, text]) => ({ name, text }));
      }),
    // A note is a row that nothing else shares: like a lease, it waits for no writer.
    replace: async (name, text, seen) => {
      const own = takeNote({ name, text, seen });
      return opened.read(() => {
        if ((notes.get(own.name) ?? null) !== own.seen) return "overtaken";
        if (own.text === null) notes.delete(own.name);
        else notes.set(own.name, own.text);
        return "replaced";
      });
    },
  };
}
