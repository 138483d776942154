// An acknowledged mail survives a killed process; a put waits for its fsyncs.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ENTRY, Queue } from "./entry.js";

const PUTS = `
import { writeSync } from "node:fs";
import { Queue } from "${ENTRY}";

const queue = await Queue.open(process.argv[1], { recover: false });
for (let number = 0; number < Number(process.argv[2]); number++) {
  const id = await queue.put(\`mail \${number} \`.repeat(1000), { sender: "a@example.com", to: ["b@example.com"] });
  writeSync(1, \`\${id} \${number}\\n\`);
}
`;

const puts = (path, number) => ["--input-type=module", "--eval", PUTS, path, `${number}`];

function inQueue(run) {
  return async (context) => {
    const directory = mkdtempSync(join(tmpdir(), "queue-store-"));
    try {
      const path = join(directory, "queue");
      await run(path, await Queue.open(path), context);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

test(
  "acknowledged mails survive kills",
  inQueue(async (path, queue) => {
    const acknowledged = new Map();
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, puts(path, 1_000_000), { stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      const ended = new Promise((resolve) => child.on("close", resolve));
      await new Promise((resolve) => {
        child.stdout.on("data", (chunk) => {
          output += chunk;
          resolve();
        });
      });
      await setTimeout(Math.random() * 100);
      child.kill("SIGKILL");
      await ended;
      // The last line may be cut.
      for (const line of output.split("\n").slice(0, -1)) {
        const [id, number] = line.split(" ");
        acknowledged.set(id, `mail ${number} `.repeat(1000));
      }
    }
    assert(acknowledged.size > 10);
    await queue.recover();
    for (const [id, body] of acknowledged) {
      assert.equal((await queue.get(id)).body.toString(), body);
    }
    for await (const { problem } of queue.items({ detail: "whole" })) {
      assert.equal(problem, null);
    }
  }),
);

/** Skips the test where a requirement is missing; fails it where all are required. */
function missing(requirement, context) {
  assert.notEqual(process.env.QUEUE_STORE_REQUIRE_ALL, "1", `${requirement} is missing`);
  context.skip(`${requirement} is missing`);
}

const hasStrace = () => !spawnSync("strace", ["-V"]).error;

/** Runs a module in a process of its own, below a command if one is given; returns its output. */
function run(source, operands = [], { command = [], env = {} } = {}) {
  const [program, ...options] = [...command, process.execPath, "--input-type=module", "--eval", source, ...operands];
  return execFileSync(program, options, { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000 });
}

test(
  "a put fsyncs the file and then the directory",
  inQueue(async (path, queue, context) => {
    if (!hasStrace()) {
      return missing("strace", context);
    }
    const log = `${path}.log`;
    const calls = "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat,write";
    const strace = ["-f", "-qq", "-y", "-s", "64", "-e", calls, "-o", log, process.execPath];
    execFileSync("strace", [...strace, ...puts(path, 1)]);
    const patterns = {
      file: new RegExp(`f(data)?sync\\(\\d+<${path}/\\.m:[^/>]*>\\) += 0`),
      name: /(link|rename)(at2?)?\(.*m:.* = 0/,
      directory: new RegExp(`fsync\\(\\d+<${path}>\\) += 0`),
      answer: /write\(1<[^>]*>, "[\w-]{11}\b/,
    };
    const seen = readFileSync(log, "latin1")
      .split("\n")
      .flatMap((line) => Object.keys(patterns).filter((name) => patterns[name].test(line)));
    // The directory is fsynced before the first change, too.
    assert.deepEqual(seen, ["directory", "file", "name", "directory", "answer"]);
  }),
);

test(
  "a directory is fsynced after a directory is created in it, and first the entry of one that exists",
  inQueue(async (path, queue, context) => {
    if (!hasStrace()) {
      return missing("strace", context);
    }
    const log = `${path}.log`;
    const strace = ["strace", "-f", "-qq", "-y", "-e", "trace=mkdir,mkdirat,fsync", "-o", log];
    const source = `import { Queue } from "${ENTRY}"; await Queue.open(process.argv[1], { recover: false });`;
    run(source, [join(path, "a", "b")], { command: strace });
    const calls = readFileSync(log, "utf8").matchAll(/(mkdir|fsync)(?:at)?\((?:AT_FDCWD, |\d+)?["<]([^">]*)[">].* = 0/g);
    const below = [path, join(path, "a"), join(path, "a", "b")];
    assert.deepEqual(
      Array.from(calls, ([, call, name]) => [call, name]).slice(0, 5),
      [["fsync", dirname(path)], ["mkdir", below[1]], ["fsync", path], ["mkdir", below[2]], ["fsync", below[1]]],
    );
  }),
);

test(
  "a directory whose entry was not fsynced is removed",
  inQueue(async (path, queue, context) => {
    if (!hasStrace()) {
      return missing("strace", context);
    }
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "inject=fsync:error=EIO"];
    const source = `
      import { Queue } from "${ENTRY}";
      console.log(await Queue.open(process.argv[1]).then(() => "opened", ({ code }) => code));
    `;
    const created = join(path, "created");
    assert.equal(run(source, [created], { command: strace }), "directory\n");
    assert.ok(!existsSync(created), "a later fsync could succeed without writing the entry");
  }),
);

test(
  "a failed fsync of the directory closes the queue until a recovery",
  inQueue(async (path, queue, context) => {
    if (!hasStrace()) {
      return missing("strace", context);
    }
    // The first fsync of the directory is that of the existing entries; the one after the rename fails. strace counts by
    // thread.
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "inject=fsync:error=EIO:when=2"];
    const source = `
      import { Queue } from "${ENTRY}";
      const queue = await Queue.open(process.argv[1], { recover: false });
      const write = (verb) =>
        queue[verb]("", { sender: "a@example.com", to: ["b@example.com"] }).then(() => "ok", ({ code }) => code);
      console.log(await write(process.argv[2]), queue.needsRecovery, await write("put"), await write("submit"));
      await queue.recover();
      console.log(queue.needsRecovery, await write("put"), await write("submit"));
    `;
    for (const verb of ["put", "submit"]) {
      const output = run(source, [path, verb], { command: strace, env: { UV_THREADPOOL_SIZE: "1" } });
      assert.equal(output, "indeterminate true needs-recovery needs-recovery\nfalse ok ok\n");
    }
  }),
);

test(
  "an open queue does not keep the process alive",
  inQueue(async (path, queue) => {
    const source = `
      import { Queue } from "${ENTRY}";
      globalThis.queue = await Queue.open(process.argv[1]);
      queue.put("", { sender: "a@example.com", to: ["b@example.com"] });
    `;
    run(source, [path]);
    assert.equal((await queue.count()).ready, 1, "a call that runs does");
  }),
);

test(
  "a full disk is no-space",
  inQueue(async (path, queue, context) => {
    const disk = `${path}.disk`;
    mkdirSync(disk);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]).status !== 0) {
      return missing("permission to mount", context);
    }
    try {
      const full = await Queue.open(disk);
      const mail = { sender: "a@example.com", to: ["b@example.com"] };
      for (const put of [() => full.put(Buffer.alloc(100_000), mail), () => write(full.draft(mail), 100_000)]) {
        await assert.rejects(put, { code: "no-space" });
        assert.deepEqual(readdirSync(disk), []);
      }
      await full.put("body", mail);
      full.close();
    } finally {
      execFileSync("umount", ["--lazy", disk]);
    }
  }),
);

async function write(draft, size) {
  draft.write(Buffer.alloc(size));
  return draft.commit();
}

test(
  "a draft occupies one thread of the pool",
  inQueue(async (path) => {
    const source = `
      import { Queue } from "${ENTRY}";
      const queue = await Queue.open(process.argv[1]);
      const draft = queue.draft({ sender: "a@example.com", to: ["b@example.com"] });
      await new Promise((resolve) => draft.write("x", resolve));
      draft.write(Buffer.alloc(100_000_000));
      draft.destroy();
      await queue.newId();
      console.log(draft.closed);
    `;
    assert.equal(run(source, [path], { env: { UV_THREADPOOL_SIZE: "2" } }), "false\n");
  }),
);
