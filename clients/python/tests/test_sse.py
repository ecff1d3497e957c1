from __future__ import annotations

import random

import pytest

from fluidmcp._sse import Decoder, Event


def decode(text: bytes, *cuts: int) -> list[Event]:
    decoder = Decoder()
    edges = [0, *sorted(cuts), len(text)]
    return [event for i, j in zip(edges, edges[1:]) for event in decoder.feed(text[i:j])]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: a\n\n", [Event("", "a")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", [Event("", "a"), Event("", "b")]),
        ("data: a\r\rdata: b\r\r", [Event("", "a"), Event("", "b")]),
        ("data: a\n\r\ndata: b\r\n\n", [Event("", "a"), Event("", "b")]),
        ("data: a\ndata\ndata:b\n\n", [Event("", "a\n\nb")]),
        ("data:  two blanks\n\n", [Event("", " two blanks")]),
        (": ping\n\n:\n\ndata: a\n: inside\ndata: b\n\n", [Event("", "a\nb")]),
        ("id: 1\nretry: 5\nunknown: x\n\nevent: e\ndata: a\n\n", [Event("e", "a")]),
        ("event: lost\n\ndata: a\n\n", [Event("", "a")]),
        ("\ufeffdata: bom\n\n", [Event("", "bom")]),
        ("data: a:b: c\n\n", [Event("", "a:b: c")]),
        ("data: no \u2028 \u0085 \v \f \x1c end\n\n", [Event("", "no \u2028 \u0085 \v \f \x1c end")]),
        ("data: ä日🙂\n\n", [Event("", "ä日🙂")]),
        ("data: not ended", []),
        ("\n\n\n", []),
    ],
)
def test_events(text: str, events: list[Event]) -> None:
    raw = text.encode()
    assert decode(raw) == events
    for cut in range(len(raw) + 1):
        assert decode(raw, cut) == events, f"cut at {cut}"
    assert decode(raw, *range(len(raw))) == events, "byte by byte"


def test_pieces_of_any_size() -> None:
    rng = random.Random(1)
    ends = ["\n", "\r\n", "\r"]
    for _ in range(200):
        texts = ["".join(rng.choice("aé🙂 :\u2028") for _ in range(rng.randrange(1, 20))) for _ in range(5)]
        raw = "".join(f"data: {t}{(end := rng.choice(ends))}{end}" for t in texts).encode()
        cuts = [rng.randrange(len(raw)) for _ in range(rng.randrange(10))]
        assert [event.data for event in decode(raw, *cuts)] == texts


def test_bytes_that_are_no_text() -> None:
    assert decode(b"data: \xff\n\n") == [Event("", "\ufffd")]


def test_the_end() -> None:
    decoder = Decoder()
    assert list(decoder.feed(b"data: a\ndata: b")) == []
    assert list(decoder.end()) == [Event("", "a\nb")]
