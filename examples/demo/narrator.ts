// Tells the story on the terminal: acts, commands as they are typed, claims and whether they held. On a terminal it
// leaves time to read; piped, or with --fast, it does not.
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";

/** How the story is told. */
export interface NarratorOptions {
  /** Milliseconds to read one step in; 0 tells it at once. */
  readonly pauseMs: number;
}

/** Something that the demo promises, and whether it was so. */
export interface Claim {
  readonly text: string;
  readonly held: boolean;
}

const WIDTH = 100;

/** The narrator: it keeps the claims, whose outcome is the demo's exit code. */
export class Narrator {
  readonly #pauseMs: number;
  readonly #claims: Claim[] = [];
  #act = 0;

  constructor({ pauseMs }: NarratorOptions) {
    this.#pauseMs = pauseMs;
  }

  /** Begins an act. */
  async act(title: string, introduction: string): Promise<void> {
    this.#act++;
    console.log(`\n${styleText(["bold", "cyan"], `${this.#act}. ${title}`)}`);
    for (const line of wrapped(introduction, WIDTH)) console.log(line);
    await sleep(this.#pauseMs);
  }

  /** Shows a command as it would be typed, and what it printed. */
  async shows(command: string, output: string): Promise<void> {
    console.log(`\n  ${styleText("dim", "$")} ${styleText("bold", command)}`);
    if (output !== "") for (const line of output.trimEnd().split("\n")) console.log(`  ${clipped(line, WIDTH)}`);
    await sleep(this.#pauseMs);
  }

  /** Says a sentence. */
  says(text: string): void {
    console.log();
    for (const line of wrapped(text, WIDTH)) console.log(line);
  }

  /** Claims something; the demo fails if it is not so. */
  async claims(text: string, held: boolean): Promise<void> {
    this.#claims.push({ text, held });
    console.log(
      held ? `  ${styleText("green", "✔")} ${text}` : `  ${styleText(["red", "bold"], "✘ DID NOT HOLD:")} ${text}`,
    );
    await sleep(this.#pauseMs / 4);
  }

  /** The claims so far. */
  claimed(): readonly Claim[] {
    return this.#claims;
  }
}

/** Says how many claims held, and which did not; gives the exit code. */
export function ending(narrator: Narrator): 0 | 1 {
  const claims = narrator.claimed();
  const broken = claims.filter(({ held }) => !held);
  if (broken.length === 0) {
    const held = styleText(["green", "bold"], `All ${claims.length} claims held.`);
    console.log(`\n${held} The temporary folder is gone; \`npm start\` keeps one.`);
    return 0;
  }
  console.log(`\n${styleText(["red", "bold"], `${broken.length} of ${claims.length} claims did not hold:`)}`);
  for (const { text } of broken) console.log(`  - ${text}`);
  return 1;
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

function clipped(line: string, width: number): string {
  const characters = Array.from(graphemes.segment(line), ({ segment }) => segment);
  return characters.length <= width ? line : `${characters.slice(0, width - 1).join("")}…`;
}
