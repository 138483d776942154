// The worker of the portable queue: it needs nothing native, ends with its queue, and is replaced when it dies.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ENTRY, IS_PORTABLE, Queue } from "./entry.js";

const MAIL = { sender: "a@example.com", to: ["b@example.com"] };
const PORTABLE = { skip: !IS_PORTABLE && `${ENTRY} has no worker` };

let directory, path, workers;

function addWorker(worker) {
  workers.push(worker);
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "queue-store-"));
  path = join(directory, "queue");
  workers = [];
  process.on("worker", addWorker);
});

afterEach(() => {
  process.off("worker", addWorker);
  rmSync(directory, { recursive: true });
});

/** Runs a module that has the queue `queue` in a process with options of Node.js. */
function run(options, source) {
  const opened = `import { Queue } from "${ENTRY}"; const queue = await Queue.open(process.argv[1]);`;
  const module = ["--input-type=module", "--eval", opened + source, path];
  return execFileSync(process.execPath, [...options, ...module], { encoding: "utf8" });
}

test("it loads no addon", PORTABLE, () => {
  run(["--no-addons"], `await queue.put("", ${JSON.stringify(MAIL)});`);
  assert.equal(readdirSync(path).length, 1);
});

test("a queue that was closed has no worker", PORTABLE, async () => {
  const queue = await Queue.open(path);
  const draft = queue.draft(MAIL);
  await once(draft.end(), "finish");
  const [worker] = workers;
  queue.close();
  await once(worker, "exit");
  await assert.rejects(Queue.open(join(directory, "none"), { create: false }), { code: "directory" });
  await once(workers[1], "exit");
  assert.equal(workers.length, 2);
});

test("a worker that died is replaced", PORTABLE, async () => {
  const queue = await Queue.open(path);
  const draft = queue.draft(MAIL);
  await new Promise((resolve) => draft.write("x", resolve));
  // A put that runs fails with its worker; one that waits for its turn succeeds in the next worker.
  const puts = ["x", "y"].map((id) => queue.put(Buffer.alloc(50_000_000), { ...MAIL, id }));
  await Promise.all([
    assert.rejects(puts[0], { code: "component" }),
    new Promise((resolve) => setImmediate(resolve)).then(() => workers[0].terminate()),
  ]);
  assert.equal(await puts[1], "y");
  const other = queue.draft({ ...MAIL, id: "z" });
  await new Promise((resolve) => other.write("x", resolve));
  await assert.rejects(draft.commit(), { code: "component" });
  assert.equal(await other.commit(), "z");
  // It left its temporary file, as every process that is killed does.
  assert.equal((await queue.recover({ graceSeconds: 0 })).temporaryRemoved > 0, true);
  assert.equal(workers.length, 2);
  queue.close();
});

test("the queue stays closed when its worker dies", PORTABLE, async () => {
  const queue = await Queue.open(path);
  const mark = join(path, ".unsynced");
  execFileSync("mkdir", [mark]);
  execFileSync("touch", [join(mark, "mark:x")]);
  await assert.rejects(queue.remove("x"), { code: "needs-recovery" });
  rmSync(mark, { recursive: true });
  await workers[0].terminate();
  assert(queue.needsRecovery);
  await assert.rejects(queue.put("", MAIL), { code: "needs-recovery" });
  await assert.rejects(queue.submit("", MAIL), { code: "needs-recovery" });
  await queue.recover();
  await queue.put("", MAIL);
  await queue.submit("", MAIL);
  queue.close();
});

test("a component out of memory fails one call", PORTABLE, () => {
  // 16 MiB of memory for WebAssembly.
  const output = run(
    ["--wasm-max-mem-pages=256"],
    `const mail = ${JSON.stringify(MAIL)};
     console.log(await queue.put(Buffer.alloc(20_000_000), mail).catch(({ code }) => code));
     console.log(typeof (await queue.put("", mail)));`,
  );
  assert.equal(output, "component\nstring\n");
});
