"""Campaigns and videos."""

from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "videos"
    verbose_name = "Campaigns and videos"
