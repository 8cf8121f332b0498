from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_message_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="templates_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="messagetemplate",
            name="reason",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
