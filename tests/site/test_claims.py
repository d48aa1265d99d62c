"""The claims page: verdicts in words."""

from pathlib import Path

import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.assets import style
from nem2e_lib.site.claims import VERDICTS, cards, write_claims
from tests.support.made_up_site import CLAIMS


def test_the_papers_own_numbers_are_counted_apart() -> None:
    claims = pd.DataFrame({"id": ["C01", "C02", "C16"], "verdict": ["holds", "cannot_be_tested", "does not hold"]})
    text = cards(claims)
    assert '<span class="big">reproduced</span>1 of the 2 claims that a run can test were tested' in text
    assert "Of the 1 claim on the paper&#39;s own numbers, which no run can change: 1 does not hold." in text
    alone = cards(claims[claims["id"] != "C01"])
    assert '<span class="big">not tested</span>0 of the 1 claims' in alone
    assert "Of the 1 claims that a run can test, none could be tested here." in alone


def test_every_verdict_has_a_sign_and_a_word_of_its_own() -> None:
    signs, words, styles = zip(*VERDICTS.values(), strict=True)
    assert len(set(signs)) == len(set(words)) == len(set(styles)) == len(VERDICTS)
    css = style()
    assert all(f".{name} {{ color:" in css for name in styles)


def test_the_verdict_at_the_published_length_stands_beside(tmp_path: Path) -> None:
    long = pd.DataFrame({"id": ["C01"], "verdict": ["not shown"], "value": ["1.1 times"]})
    text = write_claims(CLAIMS, tmp_path, runs={}, long=long).read_text()
    assert '<th scope="col">trained as long as in the paper</th>' in text
    assert "○ not shown: 1.1 times" in text
    assert "as long as in the paper" not in write_claims(CLAIMS, tmp_path, runs={}).read_text()


def test_verdicts_are_words_beside_signs(tmp_path: Path) -> None:
    text = write_claims(CLAIMS, tmp_path, runs={}).read_text()
    assert '<span aria-hidden="true">✘</span> does not hold' in text
    assert "a &lt; b &amp; c" in text
    assert "SYNTHETIC" not in text
    with pytest.raises(Nem2eError, match="verdict 'maybe'"):
        write_claims(CLAIMS.assign(verdict="maybe"), tmp_path, runs={})
