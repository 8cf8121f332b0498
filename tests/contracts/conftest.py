from tests.videos.conftest import vendor

__all__ = ["vendor"]
