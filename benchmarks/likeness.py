"""How alike are two pictures, and how far apart two sounds?"""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the structural similarity of two planes, 1 for equal, over blocks of 8 x 8."""
    a, b = _blocks(first), _blocks(second)
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    spread_a, spread_b = a.var(-1), b.var(-1)
    both = (a * b).mean(-1) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + _C1) * (2 * both + _C2)
    return float(np.mean(alike / ((mean_a**2 + mean_b**2 + _C1) * (spread_a + spread_b + _C2))))


def lag_samples(first: NDArray[np.float32], second: NDArray[np.float32]) -> int:
    """Return by how many samples the second comes later, where the two fit best."""
    size = 2 * len(first)
    product = np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size))
    fit = np.fft.irfft(product, size)
    best = int(np.argmax(fit))
    return best - size if best > size // 2 else best


def _blocks(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows, columns = (side // _BLOCK for side in plane.shape)
    cut = plane[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    squares = cut.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    return squares.reshape(rows, columns, _BLOCK * _BLOCK)
