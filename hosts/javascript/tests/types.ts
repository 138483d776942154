// The types of the package, as a strict program uses them.

import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Draft, type Entry, Queue, QueueError } from "queue-store";
import { Queue as PortableQueue } from "queue-store/portable";

export async function use(path: string): Promise<string[]> {
  const queue: Queue = await Queue.open(path, { create: true, recover: false });
  const portable: Queue = await PortableQueue.open(new URL("file:///queue"), { graceSeconds: 0 });
  await portable[Symbol.asyncDispose]();
  const id: string = await queue.put(new Uint8Array([1]), { sender: "", to: ["b@example.com"], createdAt: new Date() });
  const draft: Draft = queue.draft({ sender: "a@example.com", to: new Set(["b@example.com"]), durability: "none" });
  await pipeline(createReadStream(path), draft);
  const ids: string[] = [id];
  for await (const entry of queue) {
    const { info, problem }: Entry = entry;
    ids.push(info?.envelope.reversePath ?? problem?.message ?? entry.id);
  }
  try {
    await queue.update(id, { sender: "c@example.com", ifRevision: (await queue.info(id)).revision });
  } catch (error) {
    if (error instanceof QueueError && error.code === "conflict") {
      ids.push(error.detail);
    }
  }
  // @ts-expect-error: a mail needs recipients.
  await queue.put("body", { sender: "a@example.com" });
  // @ts-expect-error: there is no such state.
  queue.items({ states: ["sent"] });
  // @ts-expect-error: a queue is opened by `Queue.open`.
  new Queue();
  return ids;
}
