"""C3D files written byte by byte after the format's description, for any processor and kind of number."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NUMBERS = {"Intel": 84, "DEC": 85, "MIPS": 86}


class Bytes:
    """Numbers as a processor writes them."""

    def __init__(self, processor: str) -> None:
        self.processor = processor
        self.order = ">" if processor == "MIPS" else "<"

    def integers(self, values: Any) -> bytes:
        return np.asarray(values).astype(np.int64).astype(np.uint16).astype(f"{self.order}u2").tobytes()

    def floats(self, values: Any) -> bytes:
        plain = np.asarray(values, np.float32)
        if self.processor != "DEC":
            return plain.astype(f"{self.order}f4").tobytes()
        words = np.ascontiguousarray((plain * np.float32(4)).astype("<f4")).view("<u2").reshape(-1, 2)
        return words[:, ::-1].tobytes()


def _record(number: int, name: str, body: bytes, write: Bytes, last: bool = False) -> bytes:
    step = 0 if last else 2 + len(body)
    return struct.pack("bb", len(name), number) + name.encode() + struct.pack(f"{write.order}h", step) + body


def _parameter(value: Any, write: Bytes) -> bytes:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(each, str | bytes) for each in value):
        cells = [each.encode() if isinstance(each, str) else each for each in value]
        width = max([len(each) for each in cells] or [0])
        head, data = struct.pack("bBBB", -1, 2, width, len(cells)), b"".join(each.ljust(width) for each in cells)
        return head + data + b"\0"
    array = np.asarray(value)
    shape = array.shape
    head = struct.pack("bB", 4 if array.dtype.kind == "f" else 2, len(shape)) + bytes(shape)
    flat = array.ravel(order="F")
    return head + (write.floats(flat) if array.dtype.kind == "f" else write.integers(flat)) + b"\0"


def write_c3d(
    points: np.ndarray,
    analog: np.ndarray,
    *,
    labels: Sequence[str],
    channels: Sequence[str],
    per_frame: int = 10,
    rate_hz: float = 100.0,
    first_frame: int = 1,
    processor: str = "Intel",
    real: bool = True,
    scale: float = 0.1,
    analog_scale: float = 0.5,
    offset: Any = 0,
    units: str = "mm",
    analog_units: str = "V",
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> bytes:
    """Return a file's bytes.

    Parameters
    ----------
    points : shape (frames, points, 3)
        NaN where a point was not seen.
    analog : shape (frames x per_frame, channels)
        What is read back.
    real
        Whether numbers are stored as floats; else as integers of `scale` and `analog_scale`.
    offset
        ANALOG:OFFSET of every channel, an integer or a real number.
    more
        Further groups of parameters; bytes stand for texts in an encoding of their own.
    """
    write, frames = Bytes(processor), len(points)
    groups: dict[str, dict[str, Any]] = {
        "POINT": {
            "USED": len(labels),
            "FRAMES": min(frames, 65535),
            "SCALE": np.float32(-scale if real else scale),
            "RATE": np.float32(rate_hz),
            "UNITS": units,
            "DATA_START": 0,
        },
        "ANALOG": {
            "USED": len(channels),
            "GEN_SCALE": np.float32(1),
            "RATE": np.float32(rate_hz * per_frame),
        },
    }
    offsets = np.array([offset] * len(channels))
    offsets = offsets.astype(np.float32) if offsets.dtype.kind == "f" else offsets
    for group, name, every in (
        ("POINT", "LABELS", list(labels)),
        ("ANALOG", "LABELS", list(channels)),
        ("ANALOG", "UNITS", [analog_units] * len(channels)),
        ("ANALOG", "SCALE", np.full(len(channels), analog_scale, np.float32)),
        ("ANALOG", "OFFSET", offsets),
    ):  # 255 at most fit into one
        for part in range(0, max(len(every), 1), 255):
            groups[group][name + ("" if part == 0 else str(part // 255 + 1))] = every[part : part + 255]
    for group, parameters in (more or {}).items():
        groups.setdefault(group, {}).update(parameters)
    section = b""
    for number, (group, parameters) in enumerate(groups.items(), start=1):
        section += _record(-number, group, b"\0", write)
        for name, value in parameters.items():
            section += _record(number, name, _parameter(value, write), write)
    blocks = -(-(len(section) + 6) // 512)
    start = 2 + blocks
    head = bytes([2, 0x50]) + write.integers(
        [len(labels), len(channels) * per_frame, first_frame, min(first_frame + frames - 1, 65535), 10]
    )
    head += write.floats([-scale if real else scale]) + write.integers([start, per_frame]) + write.floats([rate_hz])
    body = bytes([1, 0x50, blocks, NUMBERS[processor]]) + section
    data = _samples(points, analog, per_frame, real, scale, analog_scale, offset, write)
    return head.ljust(512, b"\0") + body.ljust(blocks * 512, b"\0") + data


def _samples(points, analog, per_frame, real, scale, analog_scale, offset, write) -> bytes:  # type: ignore[no-untyped-def]
    seen = np.isfinite(points).all(axis=2)
    place = np.where(seen[..., None], points, 0.0)
    last = np.where(seen, 0.0, -1.0)[..., None]
    channels = analog.shape[1] if analog.ndim == 2 else 0
    measured = np.asarray(analog).reshape(len(points), per_frame * channels)
    stored = measured / analog_scale + float(offset)
    if real:
        return write.floats(np.concatenate([np.concatenate([place, last], axis=2).reshape(len(points), -1), stored], 1))
    whole = np.concatenate([np.concatenate([np.rint(place / scale), last], axis=2).reshape(len(points), -1), stored], 1)
    return write.integers(np.rint(whole))
