"""Store a job's recipe and facts as JSON, and the pipeline's failure message.

This release reads and writes `recipe`, `facts`, `failure_message`, and results of {name, label, content_type, size,
facts, url}. The previous release runs during a rolling update and after a rollback. It uses only the columns
`preset`, `enhance`, `watermark`, `width`, `height`, and results of {name, format, width, height, size, url}.
A trigger on `jobs` keeps both forms equal for writes of either release. It also converts existing rows when
migration 0006 updates them.

To contract, once no rollback to an earlier release is possible: drop the trigger (and on PostgreSQL the function
`jobs_keep_both_forms`), drop the five columns, and set `recipe` and `facts` to NOT NULL. Until then they are listed
in `Job.__table__.info["retired_columns"]`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MESSAGES = {
    "not_an_image": "This file is not a photo we can read.",
    "truncated": "This photo is damaged or incomplete. Please upload it again.",
    "too_many_pixels": "This photo has too many pixels.",
}
CASES = " ".join(f"WHEN '{code}' THEN '{message}'" for code, message in MESSAGES.items())

POSTGRESQL_FUNCTION = f"""
CREATE FUNCTION jobs_keep_both_forms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.recipe IS NULL THEN
    NEW.recipe := json_build_object('preset', NEW.preset, 'enhance', NEW.enhance, 'watermark', NEW.watermark);
  ELSIF TG_OP = 'INSERT' THEN
    NEW.preset := left(coalesce(NEW.recipe ->> 'preset', ''), 10);
    NEW.enhance := coalesce(NEW.recipe ->> 'enhance', '') = 'true';
    NEW.watermark := left(NEW.recipe ->> 'watermark', 80);
  END IF;
  NEW.facts := coalesce(NEW.facts, '{{}}');
  IF NEW.facts::text <> '{{}}' AND (TG_OP = 'INSERT' OR NEW.facts::text IS DISTINCT FROM OLD.facts::text) THEN
    NEW.width := substring(NEW.facts ->> 'width' FROM '^\\d{{1,9}}$')::int;
    NEW.height := substring(NEW.facts ->> 'height' FROM '^\\d{{1,9}}$')::int;
  ELSIF NEW.width IS NOT NULL AND NEW.facts ->> 'width' IS DISTINCT FROM NEW.width::text THEN
    NEW.facts := json_build_object('width', NEW.width, 'height', NEW.height);
  END IF;
  IF left(NEW.results::text, 2) = '[{{' THEN
    SELECT json_agg(CASE
      WHEN NOT result ? 'label' THEN result || jsonb_build_object(
        'label', upper(result ->> 'format'), 'content_type', 'image/' || (result ->> 'format'),
        'facts', jsonb_build_object('width', result -> 'width', 'height', result -> 'height'))
      WHEN NOT result ? 'format' AND result -> 'facts' ? 'width' THEN result || jsonb_build_object(
        'format', split_part(result ->> 'content_type', '/', 2),
        'width', result -> 'facts' -> 'width', 'height', result -> 'facts' -> 'height')
      ELSE result END ORDER BY place)
    INTO NEW.results FROM jsonb_array_elements(NEW.results::jsonb) WITH ORDINALITY AS results (result, place);
  END IF;
  IF NEW.failure_message IS NULL THEN
    NEW.failure_message := CASE NEW.failure_code {CASES} END;
  END IF;
  RETURN NEW;
END $$
"""
POSTGRESQL_TRIGGER = """
CREATE TRIGGER jobs_keep_both_forms BEFORE INSERT OR UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION jobs_keep_both_forms()
"""

# SQLite triggers can't change a row before it is written, so they update it again. They don't trigger themselves.
SQLITE_RECIPE_FROM_COLUMNS = """
UPDATE jobs SET recipe = json_object(
  'preset', preset, 'enhance', json(CASE WHEN enhance THEN 'true' ELSE 'false' END), 'watermark', watermark)
WHERE id = NEW.id AND recipe IS NULL;
"""
SQLITE_RECIPE_TO_COLUMNS = """
UPDATE jobs SET preset = substr(coalesce(json_extract(recipe, '$.preset'), ''), 1, 10),
  enhance = json_extract(recipe, '$.enhance') IS 1, watermark = substr(json_extract(recipe, '$.watermark'), 1, 80)
WHERE id = NEW.id AND recipe IS NOT NULL AND preset = '';
"""
SQLITE_FACTS_TO_COLUMNS = """
UPDATE jobs SET width = json_extract(facts, '$.width'), height = json_extract(facts, '$.height')
WHERE id = NEW.id AND typeof(json_extract(facts, '$.width')) = 'integer'
  AND width IS NOT json_extract(facts, '$.width') AND {written};
"""
SQLITE_FACTS_FROM_COLUMNS = """
UPDATE jobs SET facts = '{}' WHERE id = NEW.id AND facts IS NULL;
UPDATE jobs SET facts = json_object('width', width, 'height', height)
WHERE id = NEW.id AND width IS NOT NULL AND json_extract(facts, '$.width') IS NOT width;
"""
SQLITE_RESULTS = """
UPDATE jobs SET results = (SELECT json_group_array(json(CASE
  WHEN json_extract(value, '$.label') IS NULL THEN json_patch(value, json_object(
    'label', upper(json_extract(value, '$.format')), 'content_type', 'image/' || (json_extract(value, '$.format')),
    'facts', json_object('width', json_extract(value, '$.width'), 'height', json_extract(value, '$.height'))))
  WHEN json_extract(value, '$.format') IS NULL AND json_extract(value, '$.facts.width') IS NOT NULL
  THEN json_patch(value, json_object(
    'format', substr(json_extract(value, '$.content_type'), instr(json_extract(value, '$.content_type'), '/') + 1),
    'width', json_extract(value, '$.facts.width'), 'height', json_extract(value, '$.facts.height')))
  ELSE value END)) FROM json_each(NEW.results))
WHERE id = NEW.id AND json_array_length(NEW.results) > 0;
"""
SQLITE_FAILURES = f"""
UPDATE jobs SET failure_message = CASE failure_code {CASES} END
WHERE id = NEW.id AND failure_message IS NULL AND failure_code IS NOT NULL;
"""
SQLITE_TRIGGERS = (
    "CREATE TRIGGER jobs_keep_both_forms_insert AFTER INSERT ON jobs BEGIN"
    + SQLITE_RECIPE_TO_COLUMNS
    + SQLITE_RECIPE_FROM_COLUMNS
    + SQLITE_FACTS_TO_COLUMNS.format(written="TRUE")
    + SQLITE_FACTS_FROM_COLUMNS
    + SQLITE_RESULTS
    + SQLITE_FAILURES
    + "END",
    "CREATE TRIGGER jobs_keep_both_forms_update AFTER UPDATE ON jobs BEGIN"
    + SQLITE_RECIPE_FROM_COLUMNS
    + SQLITE_FACTS_TO_COLUMNS.format(written="NEW.facts IS NOT OLD.facts")
    + SQLITE_FACTS_FROM_COLUMNS
    + SQLITE_RESULTS
    + SQLITE_FAILURES
    + "END",
)


def upgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("recipe", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("facts", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("failure_message", sa.String(500), nullable=True))
        batch.alter_column("preset", existing_type=sa.String(10), existing_nullable=False, server_default="")
        batch.alter_column("enhance", existing_type=sa.Boolean(), existing_nullable=False, server_default=sa.false())
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(POSTGRESQL_FUNCTION.replace(":", r"\:")))
        op.execute(POSTGRESQL_TRIGGER)
    else:
        for trigger in SQLITE_TRIGGERS:
            op.execute(sa.text(trigger.replace(":", r"\:")))


def downgrade() -> None:
    """Drop the trigger and the columns. The previous release's columns are up to date, because of the trigger."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER jobs_keep_both_forms ON jobs")
        op.execute("DROP FUNCTION jobs_keep_both_forms()")
    else:
        op.execute("DROP TRIGGER jobs_keep_both_forms_insert")
        op.execute("DROP TRIGGER jobs_keep_both_forms_update")
    with op.batch_alter_table("jobs") as batch:
        batch.alter_column("enhance", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
        batch.alter_column("preset", existing_type=sa.String(10), existing_nullable=False, server_default=None)
        batch.drop_column("failure_message")
        batch.drop_column("facts")
        batch.drop_column("recipe")
