"""Where do the NHS.UK files in static/nhsuk/ come from? Rebuilds them from the published package.

    npm pack nhsuk-frontend@10.6.1
    python -m clinic.vendor_assets nhsuk-frontend-10.6.1.tgz

Refuses a package whose SHA-512 differs from the one the npm registry states. What is copied is
changed in three ways, so that a page asks nothing of another host: the two Frutiger font faces go
(Arial is the official fallback), icon addresses become relative, source-map comments go. The
favicon and touch icons carry the NHS logo and are left behind. See
docs/decisions/0004-nhsuk-frontend-served-locally.md.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import tarfile
from io import BytesIO
from pathlib import Path

VERSION = "10.6.1"
INTEGRITY = "sha512-PZorqQZjZx/A26yJoskCL9z0ib6AtkAyF0o4K/RHr8zRrJyXrUOCnMbjy0VNXsGO4tfTNMwqlkwATKs4a0xayw=="
BUILT = "package/dist/nhsuk/"
TO = Path(__file__).parent / "static" / "nhsuk"

_FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
_SOURCE_MAP = re.compile(r"(/\*# sourceMappingURL=\S* \*/|//# sourceMappingURL=\S*)\s*")
_ASSET = re.compile(r"url\(/assets/(images/[a-z-]+\.svg)\)")

# The package names its licence but does not carry the text; this is the project's own file.
LICENCE = """\
MIT License

Copyright (c) 2019 NHS.UK

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def refresh(package: bytes, to: Path = TO) -> None:
    """Write the style sheet, script, licence and the icons the style sheet names into `to`.

    ValueError when the package is not byte for byte the one the registry published.
    """
    found = "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
    if found != INTEGRITY:
        raise ValueError(f"this is not nhsuk-frontend {VERSION}: its hash is {found}")
    with tarfile.open(fileobj=BytesIO(package)) as tar:
        css = _read(tar, "nhsuk-frontend.min.css").decode()
        script = _read(tar, "nhsuk-frontend.min.js").decode()
        icons = {name: _read(tar, f"assets/{name}") for name in sorted(set(_ASSET.findall(css)))}

    (to / "images").mkdir(parents=True, exist_ok=True)
    css = _ASSET.sub(r"url(\1)", _FONT_FACE.sub("", css))
    (to / "nhsuk-frontend.min.css").write_text(_SOURCE_MAP.sub("", css), encoding="utf-8")
    (to / "nhsuk-frontend.min.js").write_text(_SOURCE_MAP.sub("", script), encoding="utf-8")
    (to / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")
    for name, icon in icons.items():
        (to / name).write_bytes(icon)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(BUILT + name)
    if member is None:
        raise ValueError(f"the package holds no file {name}")
    return member.read()


if __name__ == "__main__":
    refresh(Path(sys.argv[1]).read_bytes())
