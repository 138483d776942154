"""The calls that `host-test/tests/interop/exchange.rs` makes, which leave the same bytes."""

from support import *


def write(directory):
    host = open_queue({"queue": directory})
    queue, stream = host.queue_store, host.queue_stream
    body = bytes(range(256)) * 1000
    queue.put("queue", "text", mail(body), None)
    queue.put("queue", "binary", mail(body), options(format="binary"))
    odd = mail("ñ \x85 \U0010FFFF".encode())
    odd["envelope"]["to"].append('"\\\t\x7f\x85☃')
    odd["envelope"]["recipients"].append(recipient("a@example.com") | {"kind": -1, "via": ["mx"]})
    queue.put("queue", "odd ☃", odd, None)
    draft = stream.draft_begin("queue", "draft", envelope(), options(format="binary"))
    for offset in range(0, len(body), 65_536):
        stream.draft_write(draft, body[offset:offset + 65_536])
    stream.draft_commit(draft)
    queue.put("queue", "held", mail(b""), None)
    queue.hold("queue", ["held"])
