"""The claims page: verdicts in words."""

from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.claims import claims_summary, write_claims
from tests.support.made_up_site import CLAIMS


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds", "cannot be tested"], "reproduced"),
        (["holds", "does_not_hold"], "partly reproduced"),
        (["does not hold"], "not reproduced"),
        (["cannot be tested"], "not tested"),
    ],
)
def test_claims_summary(verdicts: list[str], expected: str) -> None:
    assert claims_summary(pd.DataFrame({"verdict": verdicts}))[0] == expected


def test_verdicts_are_words_beside_signs(tmp_path: Path) -> None:
    text = write_claims(CLAIMS, tmp_path, runs={}).read_text()
    assert '<span aria-hidden="true">✘</span> does not hold' in text
    assert "a &lt; b &amp; c" in text
    assert "SYNTHETIC" not in text
    with pytest.raises(Nem2eError, match="verdict 'maybe'"):
        write_claims(CLAIMS.assign(verdict="maybe"), tmp_path, runs={})
