"""The site in one place: save figures and tables, write results and pages, publish."""

from nem2e_lib.report.claims_page import claims_summary, write_claims
from nem2e_lib.report.pages import write_index
from nem2e_lib.report.provenance import Provenance, provenance
from nem2e_lib.report.publish import check_target, publish
from nem2e_lib.report.results import write_results
from nem2e_lib.report.saving import Saved, save_drawn, save_figure, save_table

__all__ = [
    "Provenance",
    "Saved",
    "check_target",
    "claims_summary",
    "provenance",
    "publish",
    "save_drawn",
    "save_figure",
    "save_table",
    "write_claims",
    "write_index",
    "write_results",
]
