from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0011_crm'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='contact',
            name='contact_name_middle',
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('name_middle_index__gt', '')), fields=['name_middle_index'], name='contact_name_middle'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(condition=models.Q(('erased_at', None), ('name_first_index', None)), fields=['partner'], name='contact_name_missing'),
        ),
    ]
