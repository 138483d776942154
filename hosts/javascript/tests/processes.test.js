// An acknowledged mail survives a killed process; a put waits for its fsyncs.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Queue } from "queue-store";

const PUTS = `
import { writeSync } from "node:fs";
import { Queue } from "queue-store";

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

test(
  "a put fsyncs the file and then the directory",
  inQueue(async (path, queue, context) => {
    if (spawnSync("strace", ["-V"]).error) {
      assert.notEqual(process.env.QUEUE_STORE_REQUIRE_ALL, "1", "strace is missing");
      context.skip("strace is missing");
      return;
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
