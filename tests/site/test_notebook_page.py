"""A notebook's page: offline, with its pictures where they lie."""

import base64
from pathlib import Path

import pytest

from nem2e_lib.site.notebook_page import linked, page_problems


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img alt="a" src="http://x.example/y.png">',
        "<style>@import 'https://x.example/y.css';</style>",
        "<style>b { background: url(https://x.example/y.png) }</style>",
        '<svg><image xlink:href="https://x.example/y.png"/></svg>',
    ],
)
def test_whatever_would_be_fetched_is_found(html: str) -> None:
    assert len(page_problems(html)) == 1


def test_links_and_embedded_pictures_are_no_problem() -> None:
    assert page_problems('<a href="https://doi.org/x">y</a><img alt="z" src="data:image/png;base64,x">') == []


def test_a_page_shows_pictures_from_its_folder_where_they_lie_there(tmp_path: Path) -> None:
    here, elsewhere = b"<svg>here</svg>", b"<svg>elsewhere</svg>"
    (tmp_path / "figure_1.svg").write_bytes(here)
    embedded = [_embedded(text) for text in (here, elsewhere)]
    assert linked("".join(embedded), tmp_path) == '<img alt="a" src="figure_1.svg">' + embedded[1]


def _embedded(text: bytes) -> str:
    return f'<img alt="a" src="data:image/svg+xml;base64,{base64.b64encode(text).decode()}">'
