"""A table of a page, read as XML."""

import re
import xml.etree.ElementTree as ET


def parsed(html: str) -> ET.Element:
    """Read a table as XML, with the ends of cells and rows that HTML may leave out."""

    def closed(row: re.Match[str]) -> str:
        return re.sub(r"<(td|th)([^>]*)>(.*?)(?=<td|<th|$)", r"<\1\2>\3</\1>", row[0]) + "</tr>"

    return ET.fromstring(re.sub(r"^<tr><th scope=\"row\">.*$", closed, html, flags=re.MULTILINE))
