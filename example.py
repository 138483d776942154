from queue_store import QueueError, QueueStore

host = QueueStore("queue_store.wasm", {"queue": "queue"})
queue, stream = host.queue_store, host.queue_stream

# What an earlier process left becomes definite. Temporary files that are 36 hours old belong to nobody.
for problem in queue.recover("queue", 129_600).problems:
    print(f"{problem.path}: {problem.detail}")

delivery = {
    "address": "b@example.com",
    "kind": 0,
    "status": 0,
    "last_failure_message": "",
    "original_address": "",
    "via": [],
}
envelope = {
    "reverse_path": "a@example.com",
    "to": ["b@example.com"],
    "recipients": [delivery],
    "created_at": None,
}

# When this returns, the mail survives power loss. Who has to know what became of a put that failed asks for the id first.
id = queue.new_id()
try:
    queue.put("queue", id, {"envelope": envelope, "body": b"Subject: hello\r\n\r\nHello\r\n"}, None)
except QueueError as error:
    if error.code != "indeterminate":
        raise
    queue.recover("queue", 129_600)
    queue.info("queue", id)  # It is there for good, or this says `not-found`.

# A long body goes in chunks of at most 64 KiB, and comes out in chunks.
draft = stream.draft_begin("queue", None, envelope, None)
try:
    for chunk in [b"Subject: long\r\n\r\n", b"Hello\r\n" * 9_000]:
        stream.draft_write(draft, chunk)
except QueueError:
    host.drop(draft)
    raise
stream.draft_commit(draft)

for entry in queue.list_items("queue", [], None, 1_000).entries:
    if entry.problem is not None:
        print(f"{entry.id}: {entry.problem.code}: {entry.problem.detail}")
        continue
    body = stream.body_open("queue", entry.id, 0)
    length = 0
    while (chunk := stream.body_read(body, 65_536)) is not None:
        length += len(chunk)
    host.drop(body)
    print(f"from {entry.info.envelope.reverse_path}: {length} bytes")

for outcome in queue.remove("queue", queue.list_ids("queue", ["ready"], None, 1_000).ids, None):
    if outcome.problem is not None:
        print(f"{outcome.id}: {outcome.problem.detail}")
