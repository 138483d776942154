"""The known limits of this host: when a test here fails, `docs/hosts/stock-runtimes.md` is out of date."""

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

from support import *


def body_must_be_bytes():
    queue = open_queue()
    for body in [bytearray(b"body"), memoryview(b"body"), [98], "body"]:
        raises(TypeError, queue.put, None, mail(body), None)
    queue.put(None, mail(b"body"), None)


def body_of_three_megabytes_cannot_be_got():
    host = open_host()
    queue, Draft = open_queue(host), host.queue_store.Draft
    draft = queue.begin("x", envelope(), options(format="binary"))
    for _ in range(48):
        draft.write(bytes(65_536))
    Draft.commit(draft)
    # wasmtime lets 128 MiB out of a call, and counts 48 for each byte. It is a trap.
    assert "too much data" in str(raises(WasmtimeError, queue.get, "x"))
    raises(WasmtimeError, queue.count)
    queue = open_queue()
    with queue.read("x", 0) as reader:
        equal(sum(len(chunk) for chunk in iter(lambda: reader.read(65_536), None)), 48 * 65_536)


def number_out_of_range_becomes_another_number():
    queue = open_queue()
    # -1 arrives as 4294967295, and only therefore is it not refused.
    with queue.items([], "name") as listing:
        equal(listing.next(-1), None)
    queue.put("x", mail(recipients=[recipient("b@example.com") | {"status": 2**32 + 1}]), None)
    equal(queue.get("x").envelope.recipients[0].status, 1)


def surrogate_is_refused_before_the_call():
    queue = open_queue()
    raises(UnicodeEncodeError, queue.put, None, mail(reverse_path="\ud800"), None)
    equal(queue.count().ready, 0)


def unknown_enum_case_costs_the_instance():
    queue = open_queue()
    error = raises(WasmtimeError, queue.items, ["waiting"], "name")
    assert "`waiting`" in str(error), error
    raises(WasmtimeError, queue.count)
    equal(open_queue().count().ready, 0)


def resource_that_is_not_closed_stays_open():
    queue = open_queue()
    for _ in range(64):
        queue.begin(None, envelope(), None)
    refused("busy", "", "", queue.begin, None, envelope(), None)
    equal(len(names()), 64)
    del queue
    # The end of the instance does not run the destructors of its resources either: recovery removes the files.
    equal(fields(open_queue().recover(0)), recovery(temporary_removed=64))
    equal(names(), [])


def every_call_fails_after_a_trap():
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
