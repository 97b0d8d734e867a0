// `npm run docs:outage -- FILE`: draws the timeline that `strongroom drill --timeline FILE` wrote, as
// docs/pictures/outage-timeline.svg.
import { readFileSync, writeFileSync } from "node:fs";
import type { Timeline } from "strongroom";
import { outagePicture } from "./outage-picture.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Name the file that `strongroom drill --timeline FILE` wrote.");
const timeline = JSON.parse(readFileSync(file, "utf8")) as Timeline;
if ((timeline as { readonly format: unknown }).format !== 1)
  throw new Error(`${file} is not a timeline of the format 1.`);
writeFileSync(new URL("../docs/pictures/outage-timeline.svg", import.meta.url), outagePicture(timeline));
