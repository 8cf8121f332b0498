"""Agreements with AI vendors, what was seen of their accounts, and fuller receipts."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.lib.append_only import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0002_revocations_sandbox_stopped'),
        ('videos', '0006_scripts_content'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='deletionreceipt',
            name='is_soft',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='deletionreceipt',
            name='request_sha256',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='egressmanifest',
            name='attestation_id',
            field=models.CharField(blank=True, default='', max_length=36),
        ),
        migrations.CreateModel(
            name='ProcessorAgreement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=64)),
                ('document_sha256', models.CharField(max_length=64)),
                ('clauses', models.JSONField(default=list)),
                ('sub_processors', models.JSONField(default=list)),
                ('region', models.CharField(max_length=24)),
                ('signed_on', models.DateField()),
                ('expires_on', models.DateField()),
                ('residual_days', models.IntegerField()),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.connection')),
                ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='VendorAttestation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('holds', models.BooleanField()),
                ('means', models.CharField(choices=[('read', "Read from the vendor's interface"), ('looked', 'Looked up in the account by an officer')], max_length=8)),
                ('staff_id', models.CharField(blank=True, max_length=36)),
                ('at', models.DateTimeField()),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='integrations.connection')),
            ],
        ),
        # Made anew on SQLite when their columns were added.
        append_only(
            "videos_egressmanifest", "videos_deletionreceipt", "videos_vendorattestation"
        ),
    ]
