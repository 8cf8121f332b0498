"""How do the bytes of a video become an HTTP answer? For the recipient and for a preview."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from config.lib import clock
from videos import playback, ranges
from videos.models import Asset
from videos.playback import Served

CLOSED = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "inline",
}


def video(
    request: HttpRequest, *, serve: Callable[[str, str], Served], still: Callable[[], bool]
) -> HttpResponseBase:
    """Answer GET and HEAD with 200, 206 or 416; `still` is asked again while the bytes go out.

    `serve` is given the headers Range and If-Range.
    """
    reads_on = "Icy-Metadata" in request.headers
    asked = ranges.meant(header=request.headers.get("Range", ""), reads_on=reads_on)
    try:
        served = serve(asked, request.headers.get("If-Range", ""))
    except ranges.Unsatisfiable as outside:
        size = {"Content-Range": f"bytes */{outside.size_bytes}"}
        return HttpResponse(status=416, headers={**size, "Accept-Ranges": "bytes"})
    status, headers = head_of(served)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    chunks = playback.while_live(chunks=served.chunks, still=still)
    return StreamingHttpResponse(chunks, status=status, headers=headers)


def head_of(served: Served) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer with bytes of a video."""
    span = served.span
    headers = {
        "Content-Type": "video/mp4",
        "Content-Length": str(span.length),
        "Accept-Ranges": "bytes",
        "ETag": served.etag,
        **CLOSED,
    }
    if not span.partial:
        return 200, headers
    return 206, {**headers, "Content-Range": span.content_range}


def captions(*, asset: Asset) -> HttpResponse:
    """Answer with a video's captions."""
    text = playback.captions(asset=asset, at=clock.now())
    return HttpResponse(text, content_type="text/vtt; charset=utf-8", headers=CLOSED)
