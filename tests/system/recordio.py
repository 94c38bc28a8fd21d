"""Reads RecordIO frames of protobuf records, with Google's own protobuf library and the published schema."""

import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

MARK = 0xCED7230A
_FIELD = descriptor_pb2.FieldDescriptorProto


def _record_class():
    """The class of `aialgs.data.Record`, as far as answers use it."""
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")

    def message(name, *fields):
        made = file.message_type.add(name=name)
        for field_name, number, kind, label, type_name in fields:
            field = made.field.add(name=field_name, number=number, type=kind, label=label)
            if type_name:
                field.type_name = f".aialgs.data.{type_name}"
            if kind in (_FIELD.TYPE_FLOAT, _FIELD.TYPE_UINT64):
                field.options.packed = True
        return made

    repeated, optional = _FIELD.LABEL_REPEATED, _FIELD.LABEL_OPTIONAL
    message(
        "Float32Tensor",
        ("values", 1, _FIELD.TYPE_FLOAT, repeated, ""),
        ("keys", 2, _FIELD.TYPE_UINT64, repeated, ""),
        ("shape", 3, _FIELD.TYPE_UINT64, repeated, ""),
    )
    message("Value", ("float32_tensor", 2, _FIELD.TYPE_MESSAGE, optional, "Float32Tensor"))
    record = message("Record", ("label", 2, _FIELD.TYPE_MESSAGE, repeated, "Record.LabelEntry"))
    entry = record.nested_type.add(name="LabelEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=optional)
    entry.field.add(name="value", number=2, type=_FIELD.TYPE_MESSAGE, label=optional, type_name=".aialgs.data.Value")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def read_records(body):
    """Returns the labels of each record in `body`: `{name: [numbers]}`."""
    record_class, records, at = _record_class(), [], 0
    while at < len(body):
        mark, length = struct.unpack_from("<II", body, at)
        assert mark == MARK
        record = record_class.FromString(body[at + 8 : at + 8 + length])
        records.append({key: list(value.float32_tensor.values) for key, value in record.label.items()})
        at += 8 + (length + 3) // 4 * 4
    assert at == len(body)
    return records
