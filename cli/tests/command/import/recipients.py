"""Prints the recipients of the mails in a directory as Python's package email sees them, as JSON: a list for each file name."""

import email
import email.utils
import inspect
import json
import sys
from pathlib import Path

STRICT = {"strict": True} if "strict" in inspect.signature(email.utils.getaddresses).parameters else {}


def recipients(path: Path) -> list[str]:
    message = email.message_from_bytes(path.read_bytes())
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    return [address for _, address in email.utils.getaddresses(fields, **STRICT) if address]


print(json.dumps({path.name: recipients(path) for path in Path(sys.argv[1]).iterdir()}))
