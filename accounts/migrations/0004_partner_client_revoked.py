from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_partner_client'),
    ]

    operations = [
        migrations.AddField(
            model_name='partnerclient',
            name='revoked_at',
            field=models.DateTimeField(null=True),
        ),
    ]
