"""Which code made a result."""

import re
import subprocess
from pathlib import Path

from nem2e_lib.site import provenance as where


def test_provenance_tells_clean_dirty_and_unknown(tmp_path: Path) -> None:
    assert where.commit(tmp_path) == "unknown"

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True
        )

    git("init", "-q")
    (tmp_path / "nem2e_lib").mkdir()
    (tmp_path / "nem2e_lib" / "a.py").write_text("")
    git("add", ".")
    git("commit", "-qm", "first")
    clean = where.commit(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "new.svg").write_text("")
    assert where.commit(tmp_path) == clean
    (tmp_path / "nem2e_lib" / "a.py").write_text("x = 1")
    assert where.commit(tmp_path) == f"{clean}-dirty"
    assert set(where.versions()) >= {"python", "jax", "numpy"}
