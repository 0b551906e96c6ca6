from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0012_rights")]

    operations = [
        ops.AddField(model_name="Abandonment", name="scoring_until", field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ops.AddField(model_name="Abandonment", name="heuristic_score", field=fields.FloatField(null=True)),
        ops.AddField(model_name="Abandonment", name="heuristic_reason", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Abandonment", name="model_score", field=fields.FloatField(null=True)),
        ops.AddField(model_name="Abandonment", name="model_reason", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Abandonment", name="model_rationale", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Abandonment", name="score_model", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Abandonment", name="score_tokens", field=fields.IntField(null=True)),
        ops.AddField(model_name="Abandonment", name="score_cause", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Abandonment", name="score_detail", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Email", name="written_by", field=fields.CharField(null=True, max_length=16)),
        ops.AddField(model_name="Email", name="words_model", field=fields.CharField(null=True, max_length=200)),
        ops.AddField(model_name="Email", name="words_tokens", field=fields.IntField(null=True)),
        ops.AddField(model_name="Email", name="words_cause", field=fields.CharField(null=True, max_length=32)),
        ops.AddField(model_name="Email", name="words_detail", field=fields.CharField(null=True, max_length=200)),
    ]
