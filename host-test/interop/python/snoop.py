"""Has a snooper look, and prints what it did: `snoop.py COMPOSITION DIRECTORY PORT`."""

import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

composition, directory, port = sys.argv[1:]
engine = Engine()
store = Store(engine)
wasi = WasiConfig()
wasi.preopen_dir(directory, "queue")
store.set_wasi(wasi)
linker = Linker(engine)
linker.add_wasip2()
instance = linker.instantiate(store, Component.from_file(engine, composition))
snoop = instance.get_func(store, "snoop")
print(*snoop(store, ["queue", "/queue", "/", ".", "..", "/tmp"], int(port)), sep="\n", end="")
