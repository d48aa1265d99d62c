"""A figure or table as files, listed in its page's manifest."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import schematics
from nem2e_lib.figures.printed import pdf
from nem2e_lib.figures.style import Drawn
from nem2e_lib.site.saving import entries, save, saved_csv
from nem2e_lib.site.tables import SHOWN, plain


def test_saved_figure_has_svg_csv_and_a_place_in_the_manifest(tmp_path: Path) -> None:
    drawn = schematics.network()
    saved = save(drawn, "figure2", tmp_path, page="method")
    save(drawn, "figure2", tmp_path, page="method")
    assert pd.read_csv(tmp_path / "figure2.csv", keep_default_na=False).equals(drawn.data)
    assert [e.name for e in entries(tmp_path, "method")] == ["figure2"]
    assert 'src="data:image/svg+xml;base64,' in saved._repr_html_()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figure2.csv", "figure2.svg", "manifest"]


def test_unmarked_synthetic_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Nem2eError, match="SYNTHETIC"):
        save(Drawn(Figure(), pd.DataFrame(), "Figure 3", "curves", synthetic=True), "f", tmp_path)
    with pytest.raises(Nem2eError, match="cannot see it"):
        save(Drawn(Figure(), pd.DataFrame(), "Figure 3", " "), "f", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_there_for_papers_too(tmp_path: Path) -> None:
    entry = save(plain(pd.DataFrame({"er_%": [0.5]}), "T", "C"), "t", tmp_path).entry
    assert entry.files == ("t.html", "t.csv", "t.tex")
    assert "er \\%" in (tmp_path / "t.tex").read_text()


def test_figures_of_the_paper_are_there_as_pdf(tmp_path: Path) -> None:
    drawn = schematics.network()
    assert save(drawn, "figure_2", tmp_path).entry.files == ("figure_2.svg", "figure_2.csv", "figure_2.pdf")
    assert (tmp_path / "figure_2.pdf").read_bytes() == pdf((tmp_path / "figure_2.svg").read_text())
    assert save(drawn, "leaderboard_by_speed", tmp_path).entry.files[-1].endswith(".csv")


def test_a_long_table_stands_whole_on_its_page_and_begins_in_a_notebook(tmp_path: Path) -> None:
    rows = pd.DataFrame({"row": [f"r{number}" for number in range(SHOWN + 1)]})
    long, short = (save(plain(part, "Rows", "All."), name, tmp_path) for name, part in (("a", rows), ("b", rows[1:])))
    assert long._repr_html_().count('<th scope="row">') == SHOWN
    assert f'<a href="a.html">{SHOWN} of {SHOWN + 1} rows; all of them</a>' in long._repr_html_()
    assert (tmp_path / "a.html").read_text().count('<th scope="row">') == SHOWN + 1
    assert short._repr_html_().count('<th scope="row">') == SHOWN
    assert "all of them" not in short._repr_html_()


def test_much_drawn_data_stand_in_a_zip_that_is_read_as_it_is(tmp_path: Path) -> None:
    figure = schematics.network()
    much = replace(figure, data=pd.DataFrame({"value": range(20_000)}))
    saved = save(much, "a", tmp_path)
    assert saved.entry.files == ("a.svg", "a.csv.zip")
    assert saved.entry.to_take == [("a.svg", "SVG"), ("a.csv.zip", "CSV in a zip")]
    assert pd.read_csv(tmp_path / "a.csv.zip").equals(much.data)
    before = (tmp_path / "a.csv.zip").read_bytes()
    save(much, "a", tmp_path)
    assert (tmp_path / "a.csv.zip").read_bytes() == before
    save(figure, "a", tmp_path)
    assert not (tmp_path / "a.csv.zip").exists()
    save(much, "a", tmp_path)
    assert not (tmp_path / "a.csv").exists()
    assert saved_csv(tmp_path, "a") == tmp_path / "a.csv.zip"
    assert saved_csv(tmp_path, "b") is None
    files = save(plain(much.data, "T", "C"), "t", tmp_path).entry.files
    assert files == ("t.html", "t.csv.zip", "t.tex.zip")
