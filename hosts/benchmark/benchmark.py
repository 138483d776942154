"""Measures a module in a directory, as host/examples/benchmark.rs does: benchmark.py MODULE DIRECTORY"""

import importlib
import sys
import time

CHUNK_BYTES, CHUNKS = 64 << 10, 400
ENVELOPE = {"sender": "a@example.com", "to": ["b@example.com"]}

began = time.perf_counter()
queue = importlib.import_module(sys.argv[1]).Queue(sys.argv[2])
line = b"A line of text, which is about as long as lines of mail are.\r\n"
chunk = (line * (CHUNK_BYTES // len(line) + 1))[:CHUNK_BYTES]
mail = chunk[:2048]
queue.put(mail, **ENVELOPE)
first = (time.perf_counter() - began) * 1e3

puts, began = 0, time.perf_counter()
while time.perf_counter() - began < 1:
    queue.put(mail, **ENVELOPE)
    puts += 1
rate = puts / (time.perf_counter() - began)

megabytes = CHUNK_BYTES * CHUNKS / 1e6
began = time.perf_counter()
with queue.draft(**ENVELOPE) as draft:
    for _ in range(CHUNKS):
        draft.write(chunk)
streamed_in = megabytes / (time.perf_counter() - began)

length, began = 0, time.perf_counter()
with queue.body(draft.id) as body:
    while read := body.read(CHUNK_BYTES):
        length += len(read)
streamed_out = megabytes / (time.perf_counter() - began)
assert length == CHUNK_BYTES * CHUNKS
print(first, rate, streamed_in, streamed_out)
