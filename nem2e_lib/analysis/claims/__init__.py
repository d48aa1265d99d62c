"""The paper's claims, each checked against what a run has computed."""

from nem2e_lib.analysis.claims.evidence import Evidence
from nem2e_lib.analysis.claims.table import evaluate, how, summarise

__all__ = ["Evidence", "evaluate", "how", "summarise"]
