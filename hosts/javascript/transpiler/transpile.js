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
await writeFiles((await transpile(component, options)).files);
