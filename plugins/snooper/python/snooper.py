"""A plugin that looks for what it must not have. Python's runtime imports all of WASI."""

import os
import socket

import wit_world


class WitWorld(wit_world.WitWorld):
    def snoop(self, directories, port):
        succeeded = []

        def attempt(what, call):
            try:
                call()
                succeeded.append(what)
            except Exception:
                pass

        for directory in directories:
            file = os.path.join(directory, "m:x")
            attempt(f"list {directory}", lambda: os.listdir(directory))
            attempt(f"read {directory}", lambda: open(file, "rb").read())
            attempt(f"link {directory}", lambda: os.link(file, os.path.join(directory, "stolen")))
            attempt(f"link {directory}", lambda: os.symlink(file, os.path.join(directory, "symlink")))
            attempt(f"make {directory}", lambda: open(os.path.join(directory, "made"), "wb").close())
            attempt(f"remove {directory}", lambda: os.unlink(file))
        attempt("connect", lambda: socket.create_connection(("127.0.0.1", port), timeout=1))
        return succeeded
