"""What a permission is made of cannot be changed, nor what was asked for and what was shown."""

from django.db import migrations

from config.lib.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_evidence_permissions_stops")]
    operations = [
        append_only(
            # Made anew on SQLite when its columns were added.
            "consent_consentevent",
            "consent_purpose",
            "consent_renderedform",
            "consent_writtenconsent",
            "consent_softoptin",
            "consent_healthauthorisation",
            "consent_impliedconsent",
            "consent_revocation",
        )
    ]
