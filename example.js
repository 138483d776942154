import { openQueueStore, reportErrors } from "./queue_store.js";

reportErrors();
const { queueStore, queueStream: { Draft, Body } } = openQueueStore({ queue: "queue" });

// What an earlier process left becomes definite. Temporary files that are 36 hours old belong to nobody.
for (const { path, detail } of queueStore.recover("queue", 129_600n).problems) {
  console.log(`${path}: ${detail}`);
}

const delivery = {
  address: "b@example.com",
  kind: 0,
  status: 0,
  lastFailureMessage: "",
  originalAddress: "",
  via: [],
};
const envelope = { reversePath: "a@example.com", to: ["b@example.com"], recipients: [delivery] };
const encoder = new TextEncoder();

// When this returns, the mail survives power loss. Who has to know what became of a put that failed asks for the id first.
const id = queueStore.newId();
try {
  queueStore.put("queue", id, { envelope, body: encoder.encode("Subject: hello\r\n\r\nHello\r\n") });
} catch (error) {
  if (error.payload?.code !== "indeterminate") {
    throw error;
  }
  queueStore.recover("queue", 129_600n);
  queueStore.info("queue", id); // It is there for good, or this says `not-found`.
}

// A long body goes in chunks of at most 64 KiB, and comes out in chunks.
const draft = Draft.begin("queue", undefined, envelope);
try {
  for (const chunk of ["Subject: long\r\n\r\n", "Hello\r\n".repeat(9_000)]) {
    draft.write(encoder.encode(chunk));
  }
} catch (error) {
  draft[Symbol.dispose]();
  throw error;
}
Draft.commit(draft);

for (const { id, info, problem } of queueStore.listItems("queue", [], undefined, 1_000).entries) {
  if (problem !== undefined) {
    console.log(`${id}: ${problem.code}: ${problem.detail}`);
    continue;
  }
  const body = Body.open("queue", id, 0n);
  let length = 0;
  for (let chunk; (chunk = body.read(65_536)) !== undefined; length += chunk.length);
  body[Symbol.dispose]();
  console.log(`from ${info.envelope.reversePath}: ${length} bytes`);
}

for (const { id, problem } of queueStore.remove("queue", queueStore.listIds("queue", ["ready"], undefined, 1_000).ids)) {
  if (problem !== undefined) {
    console.log(`${id}: ${problem.detail}`);
  }
}
