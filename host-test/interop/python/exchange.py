"""The calls that `host-test/tests/interop/exchange.rs` makes, which leave the same bytes."""

from support import *


def write(directory):
    host = open_host({"queue": directory})
    queue = open_queue(host)
    body = bytes(range(256)) * 1000
    queue.put("text", mail(body), None)
    queue.put("binary", mail(body), options(format="binary"))
    odd = mail("ñ \x85 \U0010FFFF".encode())
    odd["envelope"]["to"].append('"\\\t\x7f\x85☃')
    odd["envelope"]["recipients"].append(recipient("a@example.com") | {"kind": -1, "via": ["mx"]})
    queue.put("odd ☃", odd, None)
    draft = queue.begin("draft", envelope(), options(format="binary"))
    for offset in range(0, len(body), 65_536):
        draft.write(body[offset:offset + 65_536])
    host.queue_store.Draft.commit(draft)
    queue.put("held", mail(b""), None)
    queue.set_state(["held"], "held")
