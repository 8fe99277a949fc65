"""The check of receivers: judged by the example of the specification of Standard Webhooks, and by every part that a forger may change."""

from __future__ import annotations

import pytest

from statecore import ForgedNotice
from statecore.notices.signing import Receiver, key_of, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # the published example of the specification
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def receiver(at=1_614_265_330.0):
    """A receiver at an instant."""
    return Receiver(SECRET, clock=lambda: at)


@pytest.mark.spec("NOTE-5")
def test_the_example_of_the_specification_is_accepted():
    """The signature that the specification's libraries give for their example is ours."""
    assert sign(key_of(SECRET), HEADERS["webhook-id"], 1_614_265_330, BODY) == HEADERS["webhook-signature"]
    assert receiver().check({name.title(): value for name, value in HEADERS.items()}, BODY) == {"test": 2432232314}
    rotated = {**HEADERS, "webhook-signature": "v1,AAAA " + HEADERS["webhook-signature"]}
    assert receiver().check(rotated, BODY) == {"test": 2432232314}


@pytest.mark.spec("NOTE-5")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_other"),
        ("webhook-id", ""),
        ("webhook-timestamp", "1614265331"),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,\u00fc"),
    ],
)
def test_a_forged_delivery_is_refused(name, value):
    """Another id, time or signature is refused, and so is another body."""
    with pytest.raises(ForgedNotice):
        receiver().check({**HEADERS, name: value}, BODY)
    with pytest.raises(ForgedNotice):
        receiver().check(HEADERS, BODY + b" ")


@pytest.mark.spec("NOTE-5")
def test_a_replayed_delivery_is_refused():
    """The same delivery is refused the second time and says that it is known; five minutes later, or before its time, in any case."""
    here = receiver()
    here.check(HEADERS, BODY)
    with pytest.raises(ForgedNotice) as again:
        here.check(HEADERS, BODY)
    assert again.value.known
    for at in (1_614_265_330 + 301.0, 1_614_265_330 - 301.0):
        with pytest.raises(ForgedNotice) as late:
            receiver(at).check(HEADERS, BODY)
        assert not late.value.known
