"""What of a person's health may be used is sealed, as their signature is."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from config.lib.append_only import append_only


def refuse_to_lose(apps: StateApps, _schema: BaseDatabaseSchemaEditor) -> None:
    """No release ever kept these words in the clear; where a trial did, they are not thrown away."""
    if apps.get_model("consent", "HealthAuthorisation").objects.exists():
        raise RuntimeError(
            "Health authorisations of a trial version are here. Export them and begin with an "
            "empty database: their words cannot be sealed afterwards, since evidence never changes."
        )


class Migration(migrations.Migration):
    dependencies = [("consent", "0007_evidence_said_at")]
    operations = [
        migrations.RunPython(refuse_to_lose, migrations.RunPython.noop),
        migrations.RemoveConstraint("healthauthorisation", "healthauthorisation_is_whole"),
        migrations.RemoveField("healthauthorisation", "information"),
        migrations.AddField(
            "healthauthorisation",
            "information_sealed",
            models.BinaryField(default=b""),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "healthauthorisation",
            models.CheckConstraint(
                name="healthauthorisation_is_whole",
                condition=models.Q(says_right_to_revoke=True)
                & models.Q(says_not_a_condition=True)
                & models.Q(says_may_be_disclosed_again=True)
                & ~models.Q(discloser="")
                & ~models.Q(recipient="")
                & ~models.Q(use=""),
            ),
        ),
        append_only("consent_healthauthorisation"),
    ]
