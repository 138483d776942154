// A plugin that looks for what it must not have, by everything that a runtime of JavaScript may offer.

export function snoop(directories, port) {
  const succeeded = [];
  const attempt = (what, call) => {
    try {
      call();
      succeeded.push(what);
    } catch {
      // It must not have it.
    }
  };
  for (const directory of directories) {
    const file = `${directory}/m:x`;
    for (const fs of [globalThis.os, globalThis.std, globalThis.Deno, globalThis.require?.("fs")]) {
      attempt(`list ${directory}`, () => (fs.readdir ?? fs.readdirSync ?? fs.readDirSync)(directory));
      attempt(`read ${directory}`, () => (fs.loadFile ?? fs.readFileSync ?? fs.open)(file));
      attempt(`link ${directory}`, () => (fs.symlink ?? fs.symlinkSync)(file, `${directory}/stolen`));
      attempt(`make ${directory}`, () => (fs.writeFile ?? fs.writeFileSync)(`${directory}/made`, ""));
      attempt(`remove ${directory}`, () => (fs.remove ?? fs.unlinkSync)(file));
    }
  }
  attempt("connect", () => new globalThis.WebSocket(`ws://127.0.0.1:${port}`));
  attempt("connect", () => globalThis.fetch(`http://127.0.0.1:${port}/`));
  return succeeded;
}
