"""The keyed hashes of names, by which a script is searched for everybody we know."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_partner_client_revoked'),
        ('consent', '0008_health_information_sealed'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='contact',
            name='contact_erased_is_empty',
        ),
        migrations.AddField(
            model_name='contact',
            name='name_first_index',
            field=models.CharField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='name_last_index',
            field=models.CharField(blank=True, default='', max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='contact',
            name='name_middle_index',
            field=models.CharField(blank=True, default='', max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='contact',
            name='name_pair_index',
            field=models.CharField(blank=True, default='', max_length=32),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['name_pair_index'], name='contact_name_pair'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['name_first_index'], name='contact_name_first'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['name_middle_index'], name='contact_name_middle'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['name_last_index'], name='contact_name_last'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), models.Q(('attributes_sealed', None), ('email_index', None), ('email_sealed', None), ('email_stop_index', ''), ('name_first_index', None), ('name_last_index', ''), ('name_middle_index', ''), ('name_pair_index', ''), ('name_sealed', None), ('phone_index', None), ('phone_sealed', None), ('sms_stop_index', ''), ('whatsapp_stop_index', '')), _connector='OR'), name='contact_erased_is_empty'),
        ),
    ]
