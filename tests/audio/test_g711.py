import sys
import warnings
from array import array

import pytest

from deepgram_async.audio import decode_g711, encode_g711
from deepgram_async.errors import AudioSourceError, OptionError

LAWS = ["mulaw", "alaw"]
CODES = bytes(range(256))
SAMPLES = array("h", range(-32768, 32768))
if sys.byteorder == "big":
    SAMPLES.byteswap()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the standard library had it until 3.12")
@pytest.mark.parametrize("law", LAWS)
def test_every_value_is_that_of_the_standard_library(law: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import audioop
    decode, encode = {
        "mulaw": (audioop.ulaw2lin, audioop.lin2ulaw),
        "alaw": (audioop.alaw2lin, audioop.lin2alaw),
    }[law]
    assert decode_g711(CODES, law) == decode(CODES, 2)
    assert encode_g711(SAMPLES.tobytes(), law) == encode(SAMPLES.tobytes(), 2)


@pytest.mark.parametrize(
    ("law", "silence", "loudest"), [("mulaw", 0xFF, 32124), ("alaw", 0xD5, 32256)]
)
def test_well_known_values(law: str, silence: int, loudest: int) -> None:
    assert encode_g711(bytes(2), law) == bytes([silence])
    decoded = array("h", decode_g711(CODES, law))
    assert (min(decoded), max(decoded)) == (-loudest, loudest)


@pytest.mark.parametrize("law", LAWS)
def test_what_was_decoded_is_encoded_to_the_same_sound(law: str) -> None:
    sound = decode_g711(CODES, law)
    assert decode_g711(encode_g711(sound, law), law) == sound


def test_torn_sample_raises() -> None:
    with pytest.raises(AudioSourceError, match="two bytes a sample, not 3 in all"):
        encode_g711(b"123", "mulaw")


def test_unknown_law_raises() -> None:
    for convert in (decode_g711, encode_g711):
        with pytest.raises(OptionError, match="has mulaw and alaw, not 'ulaw'"):
            convert(b"12", "ulaw")
