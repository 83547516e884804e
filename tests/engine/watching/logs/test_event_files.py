"""Event files: what the real TensorBoard wrote, what an independent writer wrote, and files that are cut, damaged or hostile."""

import base64
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.oracles.event_files import crc32c, event, frame, simple, tensor, version

from heldout.engine.watching.logs import event_files
from heldout.engine.watching.logs.event_files import read
from heldout.engine.watching.logs.framing import frames, masked_crc, masked_crcs
from heldout.records import Refusal

#: Three records by tensorboard 2.21: its version; a simple value 0.25 at step 300; at step 301 tensors of several kinds.
REAL = base64.b85decode(
    "7ytkO00000qkl^x2><{90002^KN<~Ua$#w1E=6`_Zge^_Dkx-Z9{>OV00000QA<P^2><{900000KoG0~DiI0~3J6SZb8|0tVQduu0DwLbW0@hv"
    "000000002!ez3y{00000000O;5Um0#wgCzv3I}0hV=s1LY(feM0TKWz1ONa4KS~P<2?_^uV_|Gza&rn83I=3vbz*E~LJkN55&$v?00000006*0"
    "3K<FocW7^HWkL`L0}=o_3i<#4|NsC0|Nj9B5DElnVQgkX2nZ7r0BQn&d<q;226km*bZ>G(5(ohj1QG%W0wM?i0DwOL002M=6bc1*Z*pXFLJJ57"
    "5&%L4Xk~0{ZweI(31)0>VRT=1VQfMO2mvYt002NgHbq-b"
)


def write(folder: Path, *records: bytes) -> Path:
    path = folder / "events.out.tfevents.1.host.1.0"
    path.write_bytes(b"".join(records))
    return path


def test_what_tensorboard_wrote_is_read(tmp_path: Path) -> None:
    log = read(write(tmp_path, REAL))
    found = {
        name: (series.step.tolist(), series.value.tolist(), series.time.tolist()) for name, series in log.series.items()
    }
    assert found == {
        "Loss/val": ([300], [0.25], [2.0]),
        "acc/val": ([301], [0.5], [3.0]),
        "double": ([301], [0.125], [3.0]),
        "whole": ([301], [-7.0], [3.0]),
        "half": ([301], [1.5], [3.0]),
        "float_val": ([301], [0.75], [3.0]),
    }  # a vector and words are no scalars
    assert log.notes == ()


def test_checksums_have_their_published_values() -> None:
    """RFC 3720, appendix B.4, and the usual check."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    rows = np.frombuffer(b"123456789" * 3, dtype=np.uint8).reshape(3, 9)
    assert set(masked_crcs(rows).tolist()) == {masked_crc(b"123456789")}
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def test_thousands_of_records_are_what_was_written(tmp_path: Path) -> None:
    """Several tags of one length, steps of one, two and three bytes, both kinds, one file."""
    records, truth = [version()], {}
    for step in [*range(0, 300, 3), *range(16000, 16800, 8), 2**40]:
        for tag, kind in (("a/loss", 0), ("b/loss", 0), ("c/acc", 1), ("d/acc", 2), ("e/acc", -1), ("f/acc", -2)):
            value = float(np.float32(np.sin(step) + len(truth)))
            truth[tag, step] = value
            records.append(event(step, tensor(tag, value, kind) if kind else simple(tag, value), time=step / 8))
    log = read(write(tmp_path, *records))
    found = {
        (name, int(step)): float(value)
        for name, series in log.series.items()
        for step, value in zip(series.step, series.value, strict=True)
    }
    assert found == truth
    assert log.series["c/acc"].time.tolist() == (log.series["c/acc"].step / 8).tolist()


def test_many_values_in_a_record_and_records_unlike_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        event(step, simple("x", step), simple("y", 2 * step), tensor("v", 1.0, dimensions=1)) for step in range(1, 40)
    ]
    records += [event(step, simple(f"n{step:02}", 1.0)) for step in range(40, 99)]  # a tag a record
    whole = read(write(tmp_path, *records)).series
    monkeypatch.setattr(event_files, "ALONE", 0)  # one by one
    monkeypatch.setattr(event_files, "BLOCK", 100)
    alone = read(write(tmp_path, *records)).series
    assert set(whole) == set(alone) == {"x", "y", *(f"n{step:02}" for step in range(40, 99))}
    assert all(
        np.array_equal(one, other) for name in whole for one, other in zip(whole[name], alone[name], strict=True)
    )
    assert whole["y"].value.tolist() == [2.0 * step for step in range(1, 40)]


def test_a_half_written_record_waits(tmp_path: Path) -> None:
    records = [version(), *(event(step, simple("loss", step)) for step in range(1, 4))]
    for cut in (1, 5, 11, 20, len(records[-1]) - 1):
        log = read(write(tmp_path, *records[:-1], records[-1][:cut]))
        assert log.series["loss"].step.tolist() == [1, 2]
        assert log.notes == ()


@pytest.mark.parametrize("place", [3, 9, 16, -2], ids=["length", "its checksum", "data", "their checksum"])
def test_a_damaged_record_ends_the_reading_and_is_said(tmp_path: Path, place: int) -> None:
    first, second, third = (event(step, simple("loss", step)) for step in (1, 2, 3))
    torn = bytearray(second)
    torn[place] ^= 0x40
    log = read(write(tmp_path, first, bytes(torn), third))
    assert log.series["loss"].step.tolist() == [1]
    assert f"damaged after {len(first)} bytes" in log.notes[0]


def test_the_last_of_a_step_counts_and_a_negative_step_does_not(tmp_path: Path) -> None:
    log = read(
        write(
            tmp_path, *(event(step, simple("loss", value)) for step, value in ((5, 1.0), (6, 2.0), (5, 3.0), (-1, 9.0)))
        )
    )
    assert log.series["loss"].step.tolist() == [5, 6]
    assert log.series["loss"].value.tolist() == [3.0, 2.0]


def test_nan_and_infinity_are_kept(tmp_path: Path) -> None:
    log = read(write(tmp_path, event(1, simple("loss", float("nan"))), event(2, simple("loss", float("inf")))))
    assert np.isnan(log.series["loss"].value[0])
    assert np.isinf(log.series["loss"].value[1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x80\x04]\x94." * 40, "no whole record"),
        (struct.pack("<Q", 2**63) + bytes(60), "no whole record"),
        (frame(b"\x2a\xff\xff\xff\xff\x7f"), "no protocol buffer"),
        (frame(b"\xff" * 20), "no protocol buffer"),
        (frame(b"\x0b"), "no protocol buffer"),
    ],
    ids=["empty", "garbage", "huge length", "huge field", "endless number", "unknown kind"],
)
def test_what_is_no_event_file_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        read(write(tmp_path, content))


def test_records_of_more_than_a_megabyte_are_passed_over(tmp_path: Path) -> None:
    data = bytes(1 << 20) + b"x"
    header = struct.pack("<Q", len(data))
    large = header + struct.pack("<I", masked_crc(header)) + data + bytes(4)
    log = read(write(tmp_path, event(1, simple("loss", 1)), large, event(2, simple("loss", 2))))
    assert log.series["loss"].step.tolist() == [1, 2]
    assert frames(large).damage == ""
