from queue_store import QueueError, QueueStore

store = QueueStore("queue_store.wasm", {"queue": "queue"})
Draft = store.queue_store.Draft
queue = store.queue_store.Queue.open("queue")

# The effects of calls that an earlier process did not finish become definite. Temporary files that are 36 hours old
# are no longer written.
for problem in queue.recover(129_600).problems:
    print(f"{problem.path}: {problem.detail}")

# One delivery for each address in `to`; created now.
envelope = {"reverse_path": "a@example.com", "to": ["b@example.com"], "recipients": [], "created_at": None}

# When this returns, the mail survives power loss. A caller that must look up the outcome of a failed put generates
# the id beforehand.
id = store.queue_store.new_id()
try:
    queue.put(id, {"envelope": envelope, "body": b"Subject: hello\r\n\r\nHello\r\n"}, None)
except QueueError as error:
    if error.code != "indeterminate":
        raise
    queue.recover(129_600)
    queue.info(id)  # The mail is queued for good, or this raises `not-found`.

# A long body goes in chunks of at most 64 KiB, and comes out in chunks.
with queue.begin(None, envelope, None) as draft:
    for chunk in [b"Subject: long\r\n\r\n", b"Hello\r\n" * 9_000]:
        draft.write(chunk)
    Draft.commit(draft)

with queue.items([], "envelope") as listing:
    while (entries := listing.next(1_000)) is not None:
        for entry in entries:
            if entry.problem is not None:
                print(f"{entry.id}: {entry.problem.code}: {entry.problem.detail}")
                continue
            with queue.read(entry.id, 0) as reader:
                length = 0
                while (chunk := reader.read(65_536)) is not None:
                    length += len(chunk)
            print(f"from {entry.info.envelope.reverse_path}: {length} bytes")
            for outcome in queue.remove([entry.id], ["ready"], None):
                if outcome.problem is not None:
                    print(f"{outcome.id}: {outcome.problem.detail}")
