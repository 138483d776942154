// Measures an entry of the package in a directory, as host/examples/benchmark.rs does, with four puts at once, as many as
// Node.js has threads: benchmark.mjs ENTRY DIRECTORY

const began = performance.now();
const { Readable } = await import("node:stream");
const { pipeline } = await import("node:stream/promises");
const [entry, directory] = process.argv.slice(2);
const { Queue } = await import(entry);

const CHUNK_BYTES = 64 << 10;
const CHUNKS = 400;
const ENVELOPE = { sender: "a@example.com", to: ["b@example.com"] };

const queue = await Queue.open(directory);
const chunk = Buffer.alloc(CHUNK_BYTES, "A line of text, which is about as long as lines of mail are.\r\n");
const mail = chunk.subarray(0, 2048);
await queue.put(mail, ENVELOPE);
const first = performance.now() - began;

const seconds = (since) => (performance.now() - since) / 1e3;
const beganPuts = performance.now();
let puts = 0;
async function putAll() {
  while (seconds(beganPuts) < 1) {
    await queue.put(mail, ENVELOPE);
    puts += 1;
  }
}
await Promise.all([putAll(), putAll(), putAll(), putAll()]);
const rate = puts / seconds(beganPuts);

const megabytes = (CHUNK_BYTES * CHUNKS) / 1e6;
const beganDraft = performance.now();
const draft = queue.draft(ENVELOPE);
await pipeline(Readable.from(Array(CHUNKS).fill(chunk)), draft);
const streamedIn = megabytes / seconds(beganDraft);

const beganBody = performance.now();
let length = 0;
for await (const read of queue.body(draft.id)) {
  length += read.length;
}
const streamedOut = megabytes / seconds(beganBody);
if (length !== CHUNK_BYTES * CHUNKS) {
  throw new Error(`the body has ${length} bytes`);
}
console.log(first, rate, streamedIn, streamedOut);
queue.close();
