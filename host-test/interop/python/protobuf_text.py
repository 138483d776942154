"""Checks that Python's `protobuf` reads the component's items, and that the component reads those that it prints.

Of its own opinions on the text format, the known ones are listed: Go's count.
"""

import base64
import json
import os

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, unknown_fields

FIELD = descriptor_pb2.FieldDescriptorProto
STRING, BYTES, INT32, INT64 = FIELD.TYPE_STRING, FIELD.TYPE_BYTES, FIELD.TYPE_INT32, FIELD.TYPE_INT64
ONE, MANY = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED

# The fields of each message in the order of their numbers, from 1. A name as a type is that of a message or an enum.
MESSAGES = {
    "Message": [
        ("ID", ONE, STRING),
        ("from", ONE, STRING),
        ("To", MANY, STRING),
        ("rcpt", MANY, "Recipient"),
        ("data", ONE, BYTES),
        ("created_at_ts", ONE, "Timestamp"),
    ],
    "Recipient": [
        ("address", ONE, STRING),
        ("type", ONE, "Type"),
        ("status", ONE, "Status"),
        ("last_failure_message", ONE, STRING),
        ("original_address", ONE, STRING),
        ("via", MANY, STRING),
    ],
    "Timestamp": [("seconds", ONE, INT64), ("nanos", ONE, INT32)],
}
ENUMS = {"Type": ["EMAIL", "PIPE", "FORWARD"], "Status": ["PENDING", "SENT", "FAILED"]}


def _message_class():
    file = descriptor_pb2.FileDescriptorProto(name="item.proto", package="item", syntax="proto3")
    for name, values in ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, of_message in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, label, type) in enumerate(of_message, 1):
            field = message.field.add(name=field, number=number, label=label)
            if isinstance(type, str):
                field.type = FIELD.TYPE_ENUM if type in ENUMS else FIELD.TYPE_MESSAGE
                field.type_name = f".item.{type}"
            else:
                field.type = type
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("item.Message"))


Message = _message_class()

# The options with which Python prints a message. Go's `prototext` reads all of the results, so the component must.
STYLES = [
    {"as_utf8": False},
    {"as_utf8": True},
    {"as_one_line": True},
    {"pointy_brackets": True},
]


def message_of(item):
    message = Message(ID=item["id"], To=item["to"], data=base64.b64decode(item["body"]), rcpt=item["recipients"])
    setattr(message, "from", item["reverse_path"])
    if item["created_at"] is not None:
        message.created_at_ts.SetInParent()
        message.created_at_ts.seconds = item["created_at"]["seconds"]
        message.created_at_ts.nanos = item["created_at"]["nanos"]
    return message


def read(text):
    return text_format.Parse(text, Message())


def read_and_print(items, printed):
    with open(items, encoding="utf-8") as file:
        items = json.load(file)
    texts = []
    for index, item in enumerate(items):
        expected = message_of(item)
        message = read(base64.b64decode(item["text"]))
        assert message == expected, f"item {index} as text: {message} is not {expected}"
        binary = Message.FromString(base64.b64decode(item["binary"]))
        # The framing is fields that other parsers skip, and nothing else is.
        framing = [field.field_number for field in unknown_fields.UnknownFieldSet(binary)]
        assert framing == [1000, 1001], f"item {index} as binary has the unknown fields {framing}"
        binary.DiscardUnknownFields()
        assert binary == expected, f"item {index} as binary: {binary} is not {expected}"
        texts.append([text_format.MessageToString(expected, **style) for style in STYLES])
    with open(printed, "w", encoding="utf-8") as file:
        json.dump(texts, file)


# The cases of `reference/text-format-cases.json` where Python is of another opinion than Go, whose counts. Neither of
# them writes anything like it.
DIFFERENCES = {
    "nbsp_whitespace": "accepts it",
    "raw_nul_in_string": "accepts it",
    "esc_hex_upper_X": "accepts it",
    "esc_e": "accepts it",
    "dup_int_zero_first": "accepts it",
    "sec_binary_prefix": "accepts it",
    "comment_invalid_utf8": "refuses it",
    "esc_u_surrogate_pair": "refuses it",
    "sec_minus_space": "refuses it",
    "esc_simple_all": "reads something else",
    "esc_trigraph": "reads something else",
}


def differs_from_go_where_it_is_known_to():
    reference = os.path.join(os.path.dirname(__file__), "../../reference/text-format-cases.json")
    with open(reference, encoding="utf-8") as file:
        cases = json.load(file)
    differences = {}
    for case in cases:
        try:
            message = read(base64.b64decode(case["input_base64"]))
        except text_format.ParseError:
            message = None
        if case["go_accepts"] != (message is not None):
            differences[case["name"]] = "accepts it" if message is not None else "refuses it"
        elif message is not None and message != message_of(item_of(case["decoded"])):
            differences[case["name"]] = "reads something else"
    assert len(cases) == 113 and differences == DIFFERENCES, differences


def item_of(decoded):
    """Converts an item that Go decoded to the form of `items.json`."""
    numbers = [{key: value for key, value in rcpt.items() if not key.endswith("_name")} for rcpt in decoded["rcpt"]]
    return {
        "id": decoded["ID"],
        "reverse_path": decoded["from"],
        "to": decoded["To"],
        "recipients": numbers,
        "created_at": decoded["created_at_ts"],
        "body": decoded["data_base64"],
    }
