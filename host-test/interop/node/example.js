import { openQueueStore, reportErrors } from "./queue_store.js";

reportErrors();
const { queueStore } = openQueueStore({ queue: "queue" });
const { Draft, Queue } = queueStore;
const queue = Queue.open("queue");
const encoder = new TextEncoder();

// The effects of calls that an earlier process did not finish become definite. Temporary files that are 36 hours old
// are no longer written.
for (const { path, detail } of queue.recover(129_600).problems) {
  console.log(`${path}: ${detail}`);
}

// One delivery for each address in `to`; created now.
const envelope = { reversePath: "a@example.com", to: ["b@example.com"], recipients: [] };

// When this returns, the mail survives power loss. A caller that must look up the outcome of a failed put generates
// the id beforehand.
const id = queueStore.newId();
try {
  queue.put(id, { envelope, body: encoder.encode("Subject: hello\r\n\r\nHello\r\n") });
} catch (error) {
  if (error.payload?.code !== "indeterminate") {
    throw error;
  }
  queue.recover(129_600);
  queue.info(id); // The mail is queued for good, or this throws `not-found`.
}

// A long body goes in chunks of at most 64 KiB, and comes out in chunks.
const draft = queue.begin(undefined, envelope);
try {
  for (const chunk of ["Subject: long\r\n\r\n", "Hello\r\n".repeat(9_000)]) {
    draft.write(encoder.encode(chunk));
  }
} catch (error) {
  draft[Symbol.dispose]();
  throw error;
}
Draft.commit(draft);

const listing = queue.items([], "envelope");
for (let entries; (entries = listing.next(1_000)) !== undefined; ) {
  for (const { id, info, problem } of entries) {
    if (problem !== undefined) {
      console.log(`${id}: ${problem.code}: ${problem.detail}`);
      continue;
    }
    const reader = queue.read(id, 0n);
    let length = 0;
    for (let chunk; (chunk = reader.read(65_536)) !== undefined; length += chunk.length);
    reader[Symbol.dispose]();
    console.log(`from ${info.envelope.reversePath}: ${length} bytes`);
    const [outcome] = queue.remove([id], ["ready"]);
    if (outcome.problem !== undefined) {
      console.log(`${id}: ${outcome.problem.detail}`);
    }
  }
}
listing[Symbol.dispose]();
