// Transpiles the component to JavaScript and core modules: node transpile.js COMPONENT DIRECTORY

import { transpile, writeFiles } from "@bytecodealliance/jco-transpile";

const [component, outDir] = process.argv.slice(2);
const options = {
  outDir,
  name: "queue_store",
  instantiation: "sync",
  noComponentErrorWrapping: false,
  emitTypescriptDeclarations: false,
};
const { files } = await transpile(component, options);

// jco's decoder of strings drops U+FEFF from their beginning, which would make one id of two.
const [name] = Object.keys(files).filter((name) => name.endsWith("queue_store.js"));
const parts = new TextDecoder().decode(files[name]).split("new TextDecoder()");
if (parts.length !== 2) {
  throw new Error(`${name} decodes strings in ${parts.length - 1} places where one is expected`);
}
files[name] = parts.join('new TextDecoder("utf-8", { ignoreBOM: true })');
await writeFiles(files);
