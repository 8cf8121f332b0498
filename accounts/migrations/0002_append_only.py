"""Evidence cannot be changed: the database refuses it."""

from django.db import migrations

from config.lib.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [append_only("accounts_trailleaf", "accounts_trailseal", "accounts_trailentry")]
