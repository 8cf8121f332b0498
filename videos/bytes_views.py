"""How do the bytes of a video become an HTTP answer? For the recipient and for a preview."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from config.lib import clock
from videos import playback, ranges
from videos.models import Asset


def video(request: HttpRequest, *, asset: Asset, still: Callable[[], bool]) -> HttpResponseBase:
    """Answer GET and HEAD with 200, 206 or 416; `still` is asked again while the bytes go out."""
    try:
        served = playback.serve(
            asset=asset,
            range_header=request.headers.get("Range", ""),
            if_range=request.headers.get("If-Range", ""),
            at=clock.now(),
        )
    except ranges.Unsatisfiable:
        size = {"Content-Range": f"bytes */{asset.size_bytes}"}
        return HttpResponse(status=416, headers={**size, "Accept-Ranges": "bytes"})
    status = 206 if served.span.partial else 200
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(status=status, content_type="video/mp4")
    else:
        chunks = playback.while_live(chunks=served.chunks, still=still)
        response = StreamingHttpResponse(chunks, status=status, content_type="video/mp4")
    response.headers["Content-Length"] = str(served.span.length)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = served.etag
    if served.span.partial:
        response.headers["Content-Range"] = served.span.content_range
    return _closed(response)


def captions(*, asset: Asset) -> HttpResponse:
    """Answer with a video's captions."""
    text = playback.captions(asset=asset, at=clock.now())
    response = HttpResponse(text, content_type="text/vtt; charset=utf-8")
    _closed(response)
    return response


def _closed(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Disposition"] = "inline"
    return response
