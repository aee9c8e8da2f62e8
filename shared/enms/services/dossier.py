"""The dossier of a baseline for the auditor: one printable page that needs nothing else.

Nothing in it depends on when it is made: as long as nothing happens to the model, it has the same bytes.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from enms.artifacts import ModelStore
from enms.database import baselines
from enms.database.connection import Database, Row
from enms.services import dossier_model as model
from enms.services import dossier_sections as sections
from enms.services import models
from enms.services.dossier_figures import figures
from enms.services.dossier_html import Html, escape, joined

# The page may load nothing and run nothing, whatever it holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report_of(database: Database, store: ModelStore, baseline_id: UUID) -> str:
    """A model's dossier as HTML.

    Raises:
        ConflictError: The model was made by another program, which keeps no document.
        DamagedArtifactError: The document's bytes are not those that were written.
        NotFoundError: There is no such model, or the bucket has it no more.
    """
    row = models.row_of(database, baseline_id)
    content = models.document(store, row)
    history = baselines.history(database, row["machine_id"], row["energy_type"], row["model_version"])
    return report(content, row, history, baselines.events(database, baseline_id))


def report(content: Mapping[str, Any], row: Row, history: Sequence[Row], events: Sequence[Row]) -> str:
    """The page.

    Args:
        content: The model's document.
        row: The model's row.
        history: Versions of the same machine and carrier up to this one, the oldest first.
        events: What was done with this version, in its order.
    """
    title = f"Energy baseline of {content['machine']['name']}, version {row['model_version']}"
    parts = [
        sections.head(content, row, events),
        sections.purpose(content),
        model.verdict(content),
        sections.data(content),
        model.coefficients(content),
        model.statistics(content),
        figures(content),
        model.out_of_time(content),
        model.tried(content),
        sections.ranges(content),
        sections.uncertainty(content),
        sections.record(content, row, history, events),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n"
        f"{joined(parts)}\n</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> Html:
    return Html(Path(__file__).with_name("dossier.css").read_text(encoding="utf-8"))
