"""A mistake is one sentence in a notebook too."""

from IPython.core.interactiveshell import InteractiveShell


def test_a_notebook_shows_the_sentence_and_no_traceback(capsys):
    shell = InteractiveShell()
    shell.run_cell("from nem2e_lib.error import Nem2eError\nraise Nem2eError('a.sto: row 3 is empty; mend it.')")
    assert capsys.readouterr().out.strip().splitlines() == ["nem2e: a.sto: row 3 is empty; mend it."]
    shell.run_cell("raise ValueError('of another kind')")
    assert "Traceback" in capsys.readouterr().out
