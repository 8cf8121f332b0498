"""Is what a process loads once left out of the search for garbage?"""

import gc


def test_what_was_loaded_at_the_start_is_not_searched_for_garbage() -> None:
    assert gc.get_freeze_count() > 50_000
