// `npm run docs:packages`: draws docs/pictures/packages.svg from the rule in .dependency-cruiser.mjs.
import { writeFileSync } from "node:fs";
import { allowedImports, packagesPicture } from "./packages-picture.ts";

writeFileSync(new URL("../docs/pictures/packages.svg", import.meta.url), packagesPicture(await allowedImports()));
