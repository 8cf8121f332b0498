"""Evidence cannot be changed: the database refuses it."""

from django.db import migrations

from config.lib.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("videos", "0001_initial")]
    operations = [append_only("videos_egressmanifest", "videos_deletionreceipt")]
