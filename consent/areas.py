"""In which states may a number lie? By its area code; a mobile phone may have moved since."""


def regions_of(phone: str) -> tuple[str, ...]:
    """Return the possible places of a number in E.164, as `US-FL`; unknown is empty."""
    return ()
