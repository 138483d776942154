// Has a snooper look, and prints what it did: `snoop.js TRANSPILED DIRECTORY PORT`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

const [transpiled, directory, port] = process.argv.slice(2);
const { instantiate } = await import(join(transpiled, "composition.js"));
const module = (name) => new WebAssembly.Module(readFileSync(join(transpiled, name)));
// The shim grants a network unless it is told not to.
const sandbox = { preopens: { queue: directory }, enableNetwork: false };
const { snoop } = instantiate(module, new WASIShim({ sandbox }).getImportObject());
process.stdout.write(snoop(["queue", "/queue", "/", ".", "..", "/tmp"], Number(port)).join("\n"));
