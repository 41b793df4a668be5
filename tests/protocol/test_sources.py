from io import BytesIO, StringIO

import pytest

from deepgram_async._protocol.sources import BinaryReader


@pytest.mark.parametrize("source", [BytesIO(b"audio"), StringIO("text")])
def test_everything_with_read_is_taken_for_a_file(source: object) -> None:
    assert isinstance(source, BinaryReader)


@pytest.mark.parametrize("source", [b"audio", "path", [b"audio"], iter([b"audio"])])
def test_what_has_no_read_is_not(source: object) -> None:
    assert not isinstance(source, BinaryReader)
