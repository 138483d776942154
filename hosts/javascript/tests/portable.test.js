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

/** Runs a module that has the queue `queue` in a process with options of Node.js, by a command before it. */
function run(options, source, before = []) {
  const opened = `import { Queue } from "${ENTRY}"; const queue = await Queue.open(process.argv[1]);`;
  const module = ["--input-type=module", "--eval", opened + source, path];
  const [command, ...operands] = [...before, process.execPath, ...options, ...module];
  return execFileSync(command, operands, { encoding: "utf8" });
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
     console.log(await queue.putMany([{ ...mail, body: Buffer.alloc(20_000_000) }]).catch(({ code }) => code));
     console.log(typeof (await queue.put("", mail)));`,
  );
  assert.equal(output, "component\nstring\n");
});

test("what is collected gives its place back", () => {
  // 64 drafts and bodies, and 16 listings, can be open at once.
  const collected = `
    const places = [64, 16];
    for (let draft = 0; draft < places[0]; draft++) {
      await new Promise((resolve) => queue.draft(${JSON.stringify(MAIL)}).write("x", resolve));
    }
    for (let listing = 0; listing < places[1]; listing++) await queue.items()[Symbol.asyncIterator]().next();
    for (let attempt = 0; (await queue.count()).temporary > 0; attempt++) {
      if (attempt === 100) throw new Error("the drafts are open still");
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for await (const item of queue.items());
    queue.close();`;
  run(["--expose-gc"], `await queue.put("", ${JSON.stringify(MAIL)});${collected}`);
  assert.equal(readdirSync(path).length, 1);
});

test("a queue that is collected before its close has no worker", PORTABLE, () => {
  const opened = `
    const threads = () => readdirSync("/proc/self/task").length;
    const before = threads();
    for (let number = 0; number < 5; number++) await (await Queue.open(process.argv[1])).count();
    for (let attempt = 0; threads() > before; attempt++) {
      if (attempt === 100) throw new Error("the workers run still");
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    queue.close();`;
  run(["--expose-gc"], `import { readdirSync } from "node:fs"; ${opened}`);
});

test("a process without descriptors is told to try again later", () => {
  const opening = `
    import { openSync, closeSync } from "node:fs";
    const opened = [];
    try { for (;;) opened.push(openSync("/dev/null")); } catch {}
    const codes = [];
    for (let free = 0; free < 12; free++) {
      await Queue.open(process.argv[1] + free).then((queue) => queue.close(), (error) => codes.push(error.code));
      closeSync(opened.pop());
    }
    console.log([...new Set(codes)].join());`;
  const limited = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"];
  assert.equal(run([], opening, limited).trim(), "busy");
});

test("a directory that cannot be searched is let go", () => {
  // Without these capabilities, permissions hold for root too.
  const unprivileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  const output = run(
    [],
    `import { mkdirSync, readdirSync, renameSync } from "node:fs";
     renameSync(queue.path, queue.path + ".renamed");
     mkdirSync(queue.path, { mode: 0o600 });
     const codes = new Set();
     const before = readdirSync("/proc/self/fd").length;
     for (let number = 0; number < 20; number++) {
       codes.add(await queue.count().catch(({ code }) => code));
     }
     console.log(...codes, readdirSync("/proc/self/fd").length < before + 10);`,
    process.getuid() === 0 ? unprivileged : [],
  );
  assert.equal(output, "access true\n");
});

test("bodies larger than the component's memory keep open drafts", () => {
  const output = run(
    ["--wasm-max-mem-pages=256"],
    `const mail = ${JSON.stringify(MAIL)};
     const draft = queue.draft({ ...mail, id: "draft" });
     await new Promise((resolve) => draft.write("x", resolve));
     const body = Buffer.alloc(20_000_000, "0123456789");
     const [{ length }] = await queue.body(await queue.put(body, mail)).toArray();
     console.log(length > 0, typeof (await queue.submit(body, mail)));
     const limit = (await queue.limits())["max-list-body-bytes"];
     const bodies = [Buffer.alloc(limit + 1), "x", Buffer.alloc(limit + 1)];
     const mails = bodies.map((body, number) => ({ ...mail, body, id: String(number) }));
     console.log((await queue.putMany(mails)).map(({ id, problem }) => id + (problem?.code ?? "")).join(" "));
     const many = Array(5).fill({ ...mail, body: bodies[0].subarray(1) });
     console.log(await queue.putMany(many).catch(({ code }) => code));
     console.log(await queue.put(body, { ...mail, maxBodyBytes: body.length - 1 }).catch(({ code }) => code));
     console.log(await draft.commit(), (await queue.count()).temporary);`,
  );
  assert.equal(output, "true string\n0too-large 1 2too-large\ncomponent\ntoo-large\ndraft 0\n");
});
