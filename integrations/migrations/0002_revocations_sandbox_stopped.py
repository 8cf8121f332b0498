"""The sandbox's phones also keep that their sender was told to stop; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]
    operations = [
        migrations.AlterField(
            model_name="sandboxmessage",
            name="direction",
            field=models.CharField(
                choices=[
                    ("to_phone", "To Phone"),
                    ("from_phone", "From Phone"),
                    ("stopped", "Stopped"),
                ],
                max_length=12,
            ),
        ),
    ]
