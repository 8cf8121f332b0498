"""Campaigns, for marketers."""

from django.urls import URLPattern, URLResolver, path

from videos import declaration_views, live_views, preview_views, upload_views, views

app_name = "videos"
ONE = "campaigns/<uuid:campaign_id>"
urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/", views.campaign_list, name="campaigns"),
    path("campaigns/new/", views.campaign_new, name="new"),
    path(f"{ONE}/", views.campaign, name="campaign"),
    path(f"{ONE}/settings/", views.campaign_settings, name="settings"),
    path(f"{ONE}/script/", views.script, name="script"),
    path(f"{ONE}/script/look/", views.script_look, name="look"),
    path(f"{ONE}/content/", declaration_views.content, name="content"),
    path(f"{ONE}/presenter/", declaration_views.presenter, name="presenter"),
    path(f"{ONE}/upload/", upload_views.upload, name="upload"),
    path(f"{ONE}/upload/take-back/", upload_views.take_back, name="take_back"),
    path(f"{ONE}/audience/", views.audience, name="audience"),
    path(f"{ONE}/fallbacks/", views.fallback, name="fallbacks"),
    path(f"{ONE}/preview/", preview_views.preview, name="preview"),
    path(f"{ONE}/preview/prepare/", preview_views.prepare, name="prepare"),
    path(f"{ONE}/preview/choose/", preview_views.choose, name="choose"),
    path(f"{ONE}/preview/<uuid:asset_id>/video.mp4", preview_views.video, name="preview_video"),
    path(
        f"{ONE}/preview/<uuid:asset_id>/captions.vtt",
        preview_views.captions,
        name="preview_captions",
    ),
    path(f"{ONE}/checks/", views.check, name="checks"),
    path(f"{ONE}/send/", views.send, name="send"),
    path(f"{ONE}/live/", live_views.live, name="live"),
    path(f"{ONE}/live/part/", live_views.live_part, name="live_part"),
    path(f"{ONE}/live/results/", live_views.results_part, name="results_part"),
    path(f"{ONE}/pause/", live_views.pause, name="pause"),
    path(f"{ONE}/resume/", live_views.resume, name="resume"),
    path(f"{ONE}/retry/", live_views.retry, name="retry"),
    path(f"{ONE}/cancel/", live_views.cancel, name="cancel"),
    path(f"{ONE}/links/end/", live_views.end_links, name="end_links"),
]
