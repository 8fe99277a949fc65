import json
from typing import Any

import pytest

from statecore.codec import decode
from statecore.errors import UnreadableValue

HOSTILE: dict[str, Any] = {
    "nothing": "",
    "a space before": " 1",
    "a newline after": "1\n",
    "two values": "1 2",
    "half a list": "[1,",
    "python, not JSON": "{'a':1}",
    "NaN": "NaN",
    "Infinity in a list": "[-Infinity]",
    "a raw newline in a str": '"\n"',
    "a key twice": '{"a":1,"a":2}',
    "deep lists": "[" * 200_000,
    "deep objects": '{"a":' * 200_000,
    "deep tags": '{"$tuple":[' * 5_000 + "]}" * 5_000,
    "an int that Python refuses to read": "1" * 5_000,
    "an unknown tag": '{"$pickle":"gASVAA=="}',
    "a module as a tag": '{"$os.system":"true"}',
    "an escaped tag": '{"\\u0024nope":1}',
    "a tag beside a key": '{"$tuple":[],"a":1}',
    "a key beside a tag": '{"a":1,"$tuple":[]}',
    "two tags": '{"$tuple":[],"$set":[]}',
    "a tuple of a str": '{"$tuple":"ab"}',
    "a tuple of a tuple": '{"$tuple":{"$tuple":[]}}',
    "a set of lists": '{"$set":[[1]]}',
    "a set with an element twice": '{"$set":[1,true]}',
    "a frozenset of an object": '{"$frozenset":{}}',
    "a dict that needs no tag": '{"$dict":[["a",1]]}',
    "an empty tagged dict": '{"$dict":[]}',
    "a dict with a key twice": '{"$dict":[[1,1],[1.0,2]]}',
    "a dict of threes": '{"$dict":[[1,2,3]]}',
    "a dict of texts": '{"$dict":["ab"]}',
    "a dict with a list for a key": '{"$dict":[[[],1]]}',
    "a small int, tagged": '{"$int":"0x1"}',
    "a decimal int": '{"$int":"99999999999999999999"}',
    "an int with underscores": '{"$int":"0xffff_ffff_ffff_ffff"}',
    "an int in capitals": '{"$int":"0xFFFFFFFFFFFFFFFF"}',
    "an int that is none": '{"$int":99999999999999999999}',
    "a finite float, tagged": '{"$float":"1.0"}',
    "a float under another name": '{"$float":"Infinity"}',
    "a float of a list": '{"$float":[]}',
    "base64 with rubbish": '{"$bytes":"Y!Q=="}',
    "base64 that is not padded": '{"$bytes":"YQ"}',
    "base64 with loose bits": '{"$bytes":"YR=="}',
    "a decimal as a number": '{"$decimal":1}',
    "a decimal with spaces": '{"$decimal":" 1"}',
    "a decimal of no digits": '{"$decimal":"abc"}',
    "a decimal beyond all bounds": '{"$decimal":"1E+9999999999999999999999"}',
    "a uuid in braces": '{"$uuid":"{00000000-0000-0000-0000-000000000001}"}',
    "a uuid of an int": '{"$uuid":1}',
    "a date of a week": '{"$date":"2024-W01-1"}',
    "a date that is none": '{"$date":"2024-02-30"}',
    "a datetime without its parts": '{"$datetime":"2024-01-01T00:00:00"}',
    "a datetime with an offset in its wall": '{"$datetime":["2024-01-01T00:00:00+01:00",null,0]}',
    "a datetime in short": '{"$datetime":["2024-01-01",null,0]}',
    "a fold of two": '{"$datetime":["2024-01-01T00:00:00",null,2]}',
    "a fold of true": '{"$datetime":["2024-01-01T00:00:00",null,true]}',
    "a zone that climbs": '{"$datetime":["2024-01-01T00:00:00","../../etc/passwd",0]}',
    "a zone from the root": '{"$datetime":["2024-01-01T00:00:00","/etc/passwd",0]}',
    "a zone that is a folder": '{"$datetime":["2024-01-01T00:00:00","Europe",0]}',
    "a zone of no land": '{"$datetime":["2024-01-01T00:00:00","Europe/Atlantis",0]}',
    "a zone that is true": '{"$datetime":["2024-01-01T00:00:00",true,0]}',
    "an offset of a week": '{"$time":["00:00:00",[604800000000,null],0]}',
    "an offset beyond all bounds": '{"$time":["00:00:00",[1e300,null],0]}',
    "a timedelta that is not normal": '{"$timedelta":[0,86400,0]}',
    "a timedelta of floats": '{"$timedelta":[1.0,0,0]}',
    "a timedelta beyond all bounds": '{"$timedelta":[9999999999999,0,0]}',
    "a type without its parts": '{"$type":"money"}',
    "a type with a list for a tag": '{"$type":[[],1]}',
    "a type with an int for a tag": '{"$type":[1,1]}',
    "no text": None,
    "bytes": b"1",
    "a number": 1,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_encode_never_wrote_is_unreadable(text):
    """Damage and malice are refused by one name; no lenient parser underneath guesses."""
    with pytest.raises(UnreadableValue):
        decode(text)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("half a list", "it is no JSON at character 3"),
        ("two values", "something follows its end at character 1"),
        ("NaN", "a number that is no JSON"),
        ("a key twice", "a key occurs twice"),
        ("deep lists", "nested deeper than this stack"),
        ("deep tags", "nested deeper than this stack"),
        ("an unknown tag", r"the tag '\$pickle' is unknown"),
        ("a tag beside a key", "a tag stands beside other keys"),
        ("a date that is none", r"what stands under \$date is not of its form"),
    ],
)
def test_a_refusal_to_read_says_why(case, why):
    """The message tells the kinds of damage apart, with the place or the tag."""
    with pytest.raises(UnreadableValue, match=why):
        decode(HOSTILE[case])


@pytest.mark.parametrize("key", ["../UTC", "/etc/localtime", "Europe/../UTC", "a.b", "", "x" * 41, "a/b/c/d/e", "\x00", "Europe/"])
def test_a_zone_that_may_be_a_path_is_never_looked_up(key, monkeypatch):
    """A stored zone key that is not of the form of one is refused before a file is opened or a package searched."""
    asked: list[str] = []
    monkeypatch.setattr("zoneinfo.ZoneInfo", asked.append)
    with pytest.raises(UnreadableValue):
        decode(json.dumps({"$time": ["00:00:00", key, 0]}))
    assert asked == []


def test_a_refusal_to_read_does_not_repeat_what_was_stored():
    """The message names tags and places, not the stored content."""
    with pytest.raises(UnreadableValue) as caught:
        decode('{"$decimal":"hunter2"}')
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UnreadableValue, match=r"the tag '\$xxx") as long:
        decode(json.dumps({"$" + "x" * 5_000: 1}))
    assert len(str(long.value)) < 300
