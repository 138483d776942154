// Compares the two entries of the package: node benchmark.js [DIRECTORY] [ROUNDS]
//
// `hosts/javascript/test release` installs it with the package in `javascript/empty` of the target directory. The rounds
// of the entries alternate. Each figure is a median, with the least and the most.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";

const [parent = tmpdir(), rounds = "9"] = process.argv.slice(2);
const MAIL = { sender: "a@example.com", to: ["b@example.com"] };
const LARGE_BYTES = 25_000_000;
const SMALL_PUTS = 500;
const CHUNK = Buffer.alloc(64 << 10, "A line of a mail, as they are.\r\n");
const SMALL = CHUNK.subarray(0, 2048);

async function seconds(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

async function writeLarge(queue, id) {
  const draft = queue.draft({ ...MAIL, id });
  for (let rest = LARGE_BYTES; rest > 0; rest -= CHUNK.length) {
    if (!draft.write(CHUNK.subarray(0, rest))) {
      await new Promise((resolve) => draft.once("drain", resolve));
    }
  }
  await draft.commit();
}

async function readLarge(queue, id) {
  let size = 0;
  const body = queue.body(id).on("data", (chunk) => (size += chunk.length));
  await finished(body);
  if (size !== LARGE_BYTES) {
    throw new Error(`${size} bytes of ${LARGE_BYTES}`);
  }
}

async function openAndPut(Queue) {
  const queue = await Queue.open(mkdtempSync(join(directory, "new-")));
  await queue.put("", MAIL);
  queue.close();
}

async function putSequentially(queue) {
  for (let number = 0; number < SMALL_PUTS; number++) {
    await queue.put(SMALL, MAIL);
  }
}

const putAtOnce = (queue) => Promise.all(Array.from({ length: SMALL_PUTS }, () => queue.put(SMALL, MAIL)));

async function measure(Queue, queue, id) {
  const large = LARGE_BYTES / 1e6;
  return {
    "open and first put, ms": (await seconds(() => openAndPut(Queue))) * 1000,
    "25 MB in, MB/s": large / (await seconds(() => writeLarge(queue, id))),
    "25 MB out, MB/s": large / (await seconds(() => readLarge(queue, id))),
    "puts of 2 KB, one after another, /s": SMALL_PUTS / (await seconds(() => putSequentially(queue))),
    "puts of 2 KB, at once, /s": SMALL_PUTS / (await seconds(() => putAtOnce(queue))),
  };
}

const directory = mkdtempSync(join(parent, "queue-store-"));
const entries = ["queue-store", "queue-store/portable"];
const results = new Map();
try {
  const opened = [];
  for (const entry of entries) {
    const { Queue } = await import(entry);
    opened.push([entry, Queue, await Queue.open(mkdtempSync(join(directory, "queue-")))]);
  }
  for (let round = 0; round < Number(rounds); round++) {
    for (const [entry, Queue, queue] of opened) {
      for (const [name, value] of Object.entries(await measure(Queue, queue, `large-${round}`))) {
        results.set(name, results.get(name) ?? Object.fromEntries(entries.map((each) => [each, []])));
        results.get(name)[entry].push(value);
      }
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
for (const [name, byEntry] of results) {
  for (const [entry, values] of Object.entries(byEntry)) {
    values.sort((one, other) => one - other);
    const [median, least, most] = [values[values.length >> 1], values[0], values.at(-1)].map(Math.round);
    console.log(`${name}: ${entry} ${median} (${least} to ${most})`);
  }
}
