"""The same bits from every instruction set: signatures must outlive the machines that made them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLAIN = {
    "sse": ("nehalem", "+sse4.2,-avx,-avx2,-avx512f"),
    "avx2": ("haswell", "+avx2,-avx512f"),
}

CHILD = """
import hashlib, random, sys
import pyarrow as pa
from pipeline.signature import sign, pair_similarity
from pipeline.signature.kernel import sign_texts
import numpy as np

dice = random.Random(11)
letters = "abcXYZ09_ .,-’éÜßяЖλς中日あガกำ가नी\\u0301\\u200b😀𠀀𝔘\\n" + "e" * 20 + " " * 9
texts = ["".join(dice.choices(letters, k=dice.randint(0, 700))) for _ in range(400)]
texts += ["x" * size for size in range(130)] + ["ab " * size for size in range(130)]
signed = sign(pa.array(texts))
pairs = np.array([(at, at + 1) for at in range(len(texts) - 1)])
found = hashlib.sha256()
for array in (signed.content_hash, signed.band_keys, signed.minima, signed.shingles, signed.tokens,
              pair_similarity(signed.minima, signed.minima, pairs)):
    found.update(np.ascontiguousarray(array).tobytes())
asm = "".join(sign_texts.inspect_asm().values())
print(found.hexdigest(), *(name for name in ("xmm", "ymm", "zmm") if f"%{name}" in asm))
"""


def signed_as(target: str, cache: Path) -> tuple[str, set[str]]:
    """Sign texts in a process that compiles for a target; return a digest and the registers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    environ |= {"NUMBA_CACHE_DIR": str(cache / target)}
    if target in PLAIN:
        name, features = PLAIN[target]
        environ |= {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    digest, *registers = done.stdout.split()
    return digest, set(registers)


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names instruction sets of x86-64")
def test_every_instruction_set_gives_the_same_bits(tmp_path: Path) -> None:
    """Code for SSE, for AVX2 and for this machine signs 660 odd texts alike, bit by bit."""
    plain, narrow = signed_as("sse", tmp_path)
    middle, wide = signed_as("avx2", tmp_path)
    here, _ = signed_as("host", tmp_path)
    assert narrow == {"xmm"}
    assert "ymm" in wide
    assert "zmm" not in wide
    assert plain == middle == here
