// Runs the smoke test where there is a command line.

import { smoke } from "./smoke.js";

const args = globalThis.Deno?.args ?? globalThis.process.argv.slice(2);
console.log(JSON.stringify(await smoke(args[0], args[1])));
