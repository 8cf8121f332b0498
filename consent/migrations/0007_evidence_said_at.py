"""When an act was said that was written down later; and lists of evidence beside lists of people."""

from django.db import migrations, models

from config.lib.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("consent", "0006_append_only_permissions")]
    operations = [
        migrations.AddField(
            model_name="consentevent",
            name="said_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="kind",
            field=models.CharField(
                choices=[("people", "People"), ("evidence", "Evidence of consent")],
                default="people",
                max_length=10,
            ),
        ),
        append_only("consent_consentevent"),
    ]
