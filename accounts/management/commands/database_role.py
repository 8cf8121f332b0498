"""Make the PostgreSQL role that serves: it appends to evidence and cannot change it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from config.lib import append_only, database_role


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="sealcast_app")
        parser.add_argument("--print", action="store_true", help="print the SQL, run nothing")

    def handle(self, *_args: Any, name: str, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "Only PostgreSQL has roles. On SQLite triggers alone keep evidence from being "
                "changed. Nothing was done."
            )
        lines = self._statements(name)
        if options["print"]:
            self.stdout.write(";\n".join([*lines, ""]))
            return
        with transaction.atomic(), connection.cursor() as cursor:
            for line in lines:
                cursor.execute(line)
        self.stdout.write(
            f"The role {name} may append to {len(append_only.TABLES)} tables of evidence and "
            "change none of them. Give it a password (\\password), and serve with its DATABASE_URL."
        )

    def _statements(self, name: str) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            (schema,) = cursor.fetchone() or ("public",)
        tables = connection.introspection.django_table_names(only_existing=True)
        try:
            return database_role.statements(
                name=name, schema=schema, tables=tables, append_only=append_only.TABLES
            )
        except database_role.NotAName:
            raise CommandError(
                "A name of small letters, digits and underscores. Nothing was done."
            ) from None
