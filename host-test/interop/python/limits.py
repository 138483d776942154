"""What is known not to work in this host, held to be so: when a test here fails, `docs/embedding.md` is out of date."""

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

from support import *


def a_body_is_bytes_and_nothing_else():
    queue = open_queue().queue_store
    for body in [bytearray(b"body"), memoryview(b"body"), [98], "body"]:
        raises(TypeError, queue.put, "queue", None, mail(body), None)
    queue.put("queue", None, mail(b"body"), None)


def a_body_of_three_megabytes_is_not_got_in_one_piece():
    host = open_queue()
    draft = host.queue_stream.draft_begin("queue", "x", envelope(), options(format="binary"))
    for _ in range(48):
        host.queue_stream.draft_write(draft, bytes(65_536))
    host.queue_stream.draft_commit(draft)
    # wasmtime lets 128 MiB out of a call, and counts 48 for each byte. It is a trap.
    assert "too much data" in str(raises(WasmtimeError, host.queue_store.get, "queue", "x"))
    raises(WasmtimeError, host.queue_store.count, "queue")
    host = open_queue()
    body = host.queue_stream.body_open("queue", "x", 0)
    equal(sum(len(chunk) for chunk in iter(lambda: host.queue_stream.body_read(body, 65_536), None)), 48 * 65_536)


def a_number_out_of_range_is_another_number():
    queue = open_queue().queue_store
    # -1 arrives as 4294967295, and only for that is it not refused.
    equal(queue.list_ids("queue", [], None, -1).ids, [])
    queue.put("queue", "x", mail(recipients=[recipient("b@example.com") | {"status": 2**32 + 1}]), None)
    equal(queue.get("queue", "x").envelope.recipients[0].status, 1)


def a_surrogate_is_refused_before_the_call():
    queue = open_queue().queue_store
    raises(UnicodeEncodeError, queue.put, "queue", None, mail(reverse_path="\ud800"), None)
    equal(queue.count("queue").ready, 0)


def a_name_that_an_enum_does_not_have_costs_the_instance():
    host = open_queue()
    error = raises(WasmtimeError, host.queue_store.list_ids, "queue", ["waiting"], None, 10)
    assert "`waiting`" in str(error), error
    raises(WasmtimeError, host.queue_store.count, "queue")
    equal(open_queue().queue_store.count("queue").ready, 0)


def a_resource_that_is_not_dropped_stays_open():
    host = open_queue()
    for _ in range(64):
        host.queue_stream.draft_begin("queue", None, envelope(), None)
    refused("busy", "none", "", host.queue_stream.draft_begin, "queue", None, envelope(), None)
    equal(len(names()), 64)
    del host
    # The end of the instance does not run the destructors of its resources either: recovery sweeps.
    recovery = fields(open_queue().queue_store.recover("queue", 0))
    equal((recovery["swept"], names()), (64, []))


def after_a_trap_every_call_fails():
    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    linker = Linker(engine)
    linker.add_wasip2()
    store = Store(engine)
    store.set_fuel(10_000_000)
    wasi = WasiConfig()
    wasi.preopen_dir("queue", "queue")
    store.set_wasi(wasi)
    instance = linker.instantiate(store, Component.from_file(engine, WASM))
    interface = instance.get_export_index(store, "mail:queue/queue-store@0.1.0")
    new_id = instance.get_func(store, instance.get_export_index(store, "new-id", interface))
    equal(len(new_id(store)), 11)
    store.set_fuel(10)
    raises(WasmtimeError, new_id, store)
    store.set_fuel(10_000_000)
    assert "cannot enter" in str(raises(WasmtimeError, new_id, store))


def raises(exception, function, *arguments):
    try:
        value = function(*arguments)
    except exception as error:
        return error
    raise AssertionError(f"it returned {value!r}")
