// What GitHub's own toolkit prints for annotations: the argument is the folder of packages, stdin a JSON list of
// {level, message, properties}. The runner reads these lines, so they are what ours have to be.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules] = process.argv.slice(2);
const core = await import(pathToFileURL(`${modules}/@actions/core/lib/core.js`).href);
for (const { level, message, properties } of JSON.parse(readFileSync(0, "utf8"))) core[level](message, properties);
