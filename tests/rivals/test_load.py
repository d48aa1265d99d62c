"""Somebody's code by its name: found in a folder, a file or what is installed, or refused in a sentence."""

import sys

import pytest
from sklearn.linear_model import Ridge

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.load import load_method

CODE = "class Method:\n    def fit(self, X, y):\n        pass\n\n\nother = 3\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    (tmp_path / "mine_of_test.py").write_text(CODE)
    (tmp_path / "broken_of_test.py").write_text("x = 1\n\nx = (\n")
    (tmp_path / "raises_of_test.py").write_text("import mine_of_test\n1 / 0\n")
    (tmp_path / "needs_of_test.py").write_text("import no_such_package_at_all\n")
    (tmp_path / "leaves_of_test.py").write_text("raise SystemExit('bye')\n")
    (tmp_path / "statistics.py").write_text(CODE)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_method_is_found_in_a_folder_in_a_file_and_among_what_is_installed(folder):
    for text, name in (
        ("mine_of_test:Method", "Method"),
        ("mine_of_test.py:Method", "Method"),
        (f"best one={folder}/mine_of_test.py:Method", "best one"),
    ):
        label, thing = load_method(text, folder)
        assert (label, thing.__name__) == (name, "Method")
    assert load_method("sklearn.linear_model:Ridge", folder) == ("Ridge", Ridge)
    assert load_method("statistics.py:Method", folder)[1].__name__ == "Method"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine_of_test", r"^mine_of_test: MODULE:NAME or FILE.py:NAME is expected, such as my_methods:Method"),
        (":Method", "MODULE:NAME or FILE.py:NAME is expected"),
        ("mine_of_test:", "MODULE:NAME or FILE.py:NAME is expected"),
        ("=mine_of_test:Method", "MODULE:NAME or FILE.py:NAME is expected"),
        (
            "mine_of_tset:Method",
            r"there is no module 'mine_of_tset', neither in .* nor installed \(near it: mine_of_test",
        ),
        ("sklearn.linear:Ridge", r"there is no module 'sklearn.linear'"),
        ("mine_of_tset.py:Method", r"there is no file .*mine_of_tset.py \(near it: mine_of_test.py"),
        ("mine_of_test:Methd", r"mine_of_test has no 'Methd' \(near it: Method\); with a fit it has: Method\."),
        ("broken_of_test:M", r"importing broken_of_test raised SyntaxError: .*line 3.*; mend it\."),
        ("broken_of_test.py:M", r"importing .*broken_of_test.py raised SyntaxError: .*line 3.*; mend it\."),
        ("raises_of_test.py:M", r"raised ZeroDivisionError: division by zero \(raises_of_test.py, line 2\); mend it\."),
        ("raises_of_test:M", r"raised ZeroDivisionError: division by zero \(raises_of_test.py, line 2\); mend it\."),
        (
            "needs_of_test:M",
            r"importing needs_of_test raised ModuleNotFoundError: .*no_such_package_at_all.*; install it",
        ),
        ("leaves_of_test:M", r"importing leaves_of_test raised SystemExit: bye"),
        ("statistics:Method", r"statistics is the name of an installed module too.*write statistics.py:Method\."),
    ],
)
def test_what_cannot_be_found_is_told_in_a_sentence(folder, text, message):
    with pytest.raises(Nem2eError, match=message):
        load_method(text, folder)
