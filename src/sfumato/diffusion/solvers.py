"""Solvers of the probability-flow ODE. Each is a short function of (denoise, x, times).

All work on the path x_t = alpha_t x_0 + sigma_t eps with alpha_t = 1 - t and sigma_t = t, and on
a denoiser that predicts x_0, so the same code serves flow and diffusion models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from sfumato.diffusion.paths import State
from sfumato.errors import UsageError

Denoiser = Callable[[State, float], State]
"""Maps (x_t, t) to a prediction of x_0."""
Draw = Callable[[int], State]
"""Returns standard normal noise, shaped as x, for a step's number."""


def even_in_time(steps: int) -> list[float]:
    """Return steps + 1 times from 1 (noise) to 0 (data)."""
    return [1 - step / steps for step in range(steps + 1)]


def even_in_log_snr(steps: int) -> list[float]:
    """Return steps + 1 times from 1 to 0, evenly spaced in the log signal-to-noise ratio.

    It is infinite at both ends, so the first and the last interval are set: each is half as long as if
    all were equal in time.

    Reference: Lu et al. 2022 (DPM-Solver), Sec. 3.3, arXiv:2206.00927.
    """
    end = math.log(2 * steps - 1)  # of t = 1 / (2 steps)
    inner = [end * (2 * step - steps) / max(steps - 2, 1) for step in range(1, steps)]
    return [1.0, *(1 / (1 + math.exp(ratio)) for ratio in inner), 0.0]


def euler(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """First order, one evaluation per step. On this path it is DDIM with eta = 0.

    Reference: Song et al. 2020, Eq. 12, arXiv:2010.02502.
    """
    for t, after in zip(times[:-1], times[1:], strict=True):
        x = x + (after - t) * (x - denoise(x, t)) / t
    return x


def heun(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """Second order, two evaluations per step but the last (Karras et al. 2022, Alg. 1)."""
    for t, after in zip(times[:-1], times[1:], strict=True):
        slope = (x - denoise(x, t)) / t
        ahead = x + (after - t) * slope
        if after > 0:
            slope = (slope + (ahead - denoise(ahead, after)) / after) / 2
            ahead = x + (after - t) * slope
        x = ahead
    return x


def dpmpp_2m(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """DPM-Solver++(2M): second order, one evaluation per step, in log signal-to-noise time.

    Reference: Lu et al. 2022, Alg. 2, arXiv:2211.01095. The first step (from pure noise) and the
    last (onto the data) are of first order, where the log signal-to-noise ratio is infinite.
    """
    before, before_h = None, math.inf
    for t, after in zip(times[:-1], times[1:], strict=True):
        x_0 = denoise(x, t)
        h = _log_snr(after) - _log_snr(t)
        guess = x_0
        if before is not None and math.isfinite(h) and math.isfinite(before_h):
            guess = x_0 + (x_0 - before) * (h / before_h / 2)
        # sigma ratio carries x, the rest of the step is filled with the prediction of x_0
        x = (after / t) * x + ((1 - after) - (1 - t) * after / t) * guess
        before, before_h = x_0, h
    return x


def dpmpp_3m(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """DPM-Solver++(3M): third order, one evaluation per step.

    Reference: Lu et al. 2022, Sec. 5, arXiv:2211.01095. Its authors' code multiplies phi_3 by half of
    the second derivative, which makes the order two; here it is the whole.
    """
    past: list[tuple[float, State]] = []
    for t, after in zip(times[:-1], times[1:], strict=True):
        past = _newest(past, t, denoise(x, t), 3)
        x = _exponential_step(x, t, after, past)
    return x


def unipc(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """UniPC-2: the prediction is corrected by the very evaluation that the next step needs anyway.

    Reference: Zhao et al. 2023, Alg. 1 and 2, arXiv:2302.04867. As many conditions as there are
    nodes determine the weights, so they are those of the interpolating polynomial. Third order.
    """
    past: list[tuple[float, State]] = []
    from_here: tuple[float, State, list[tuple[float, State]]] | None = None
    for t, after in zip(times[:-1], times[1:], strict=True):
        x_0 = denoise(x, t)
        if from_here is not None:
            before, x_before, known = from_here
            x = _exponential_step(x_before, before, t, [(t, x_0), *known])
        past = _newest(past, t, x_0, 2)
        from_here = (t, x, past)
        x = _exponential_step(x, t, after, past)
    return x


def ipndm(denoise: Denoiser, x: State, times: Sequence[float]) -> State:
    """Four-step Adams-Bashforth on the velocity: fourth order, one evaluation per step.

    Reference: Liu et al. 2022, Sec. 3, arXiv:2202.09778, without its Runge-Kutta start, as Zhang &
    Chen 2022, arXiv:2204.13902, improved it; the weights are those of the actual spacing.
    """
    past: list[tuple[float, State]] = []
    for t, after in zip(times[:-1], times[1:], strict=True):
        past = [(t, (x - denoise(x, t)) / t), *past][:4]
        weights = _weights([time for time, _ in past], t, after, np.ones_like)
        x = x + sum(weight * v for weight, (_, v) in zip(weights, past, strict=True))
    return x


def ddim(denoise: Denoiser, x: State, times: Sequence[float], eta: float, draw: Draw) -> State:
    """DDIM; a fraction eta of the noise that DDPM's ancestral sampling (eta 1) draws is drawn anew.

    Reference: Song et al. 2020, Eq. 12 and 16, arXiv:2010.02502; Ho et al. 2020, Alg. 2.

    Args:
        denoise: Predicts x_0.
        x: Noise.
        times: From 1 to 0.
        eta: In [0, 1]; 0 is `euler`.
        draw: Fresh noise for each step.
    """
    for step, (t, after) in enumerate(zip(times[:-1], times[1:], strict=True)):
        x_0 = denoise(x, t)
        eps = (x - (1 - t) * x_0) / t
        # the ratio of noise to signal after the step to that before it
        ratio = 0.0 if after == 0 else after * (1 - t) / ((1 - after) * t)
        fresh = eta * math.sqrt(1 - ratio**2)
        x = (1 - after) * x_0 + after * math.sqrt(1 - fresh**2) * eps
        if after * fresh > 0:
            x = x + after * fresh * draw(step)
    return x


def _newest(
    past: Sequence[tuple[float, State]], t: float, x_0: State, count: int
) -> list[tuple[float, State]]:
    """Put a prediction in front; keep the newest ones that have a finite log signal-to-noise ratio."""
    return [(t, x_0), *(entry for entry in past if entry[0] < 1)][:count]


def _exponential_step(x: State, t: float, after: float, known: Sequence[tuple[float, State]]) -> State:
    """Carry x from t to `after`, the prediction of x_0 being a polynomial through known ones.

    The linear part is solved exactly (Lu et al. 2022, Prop. 4.1); the polynomial is in the log
    signal-to-noise ratio. Where that is infinite, the prediction at t stands alone.
    """
    if t == 1 or after == 0:
        total = dict(known)[t]
    else:
        now, then = _log_snr(t), _log_snr(after)
        nodes = [_log_snr(time) for time, _ in known]
        weights = _weights(nodes, now, then, lambda s: np.exp(s - then))
        total = sum(weight * x_0 for weight, (_, x_0) in zip(weights, known, strict=True))
    return (after / t) * x + (1 - after) * total


_POINTS, _SHARES = np.polynomial.legendre.leggauss(16)


def _weights(
    nodes: Sequence[float], start: float, end: float, kernel: Callable[[np.ndarray], np.ndarray]
) -> list[float]:
    """Integrate kernel times each Lagrange polynomial of the nodes from start to end.

    By Gauss-Legendre quadrature, which has none of the cancellation of the closed forms.
    """
    half = (end - start) / 2
    s = start + half * (1 + _POINTS)
    shares = half * _SHARES * kernel(s)
    products = [math.prod((s - b) / (a - b) for b in nodes if b != a) for a in nodes]
    return [float((shares * product).sum()) for product in products]


def _log_snr(t: float) -> float:
    """Return log(alpha_t / sigma_t)."""
    if t in (0.0, 1.0):
        return math.inf if t == 0.0 else -math.inf
    return math.log((1 - t) / t)


SOLVERS: dict[str, Callable[[Denoiser, State, Sequence[float]], State]] = {
    "euler": euler,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
    "dpmpp_3m": dpmpp_3m,
    "unipc": unipc,
    "ipndm": ipndm,
}
"""Solver of the probability-flow ODE by the name used in recipes and on the command line."""

IN_LOG_SNR = frozenset({"dpmpp_2m", "dpmpp_3m", "unipc"})
"""Solvers whose polynomials are in the log signal-to-noise ratio: their steps are even in it too. That of
the others is time."""

MINIMUM_STEPS = {"heun": 2, "dpmpp_2m": 2, "dpmpp_3m": 3, "unipc": 3, "ipndm": 4}
"""Steps below which a solver never reaches its order; the others need one."""


def schedule(sampler: str, steps: int) -> list[float]:
    """Return the steps + 1 times at which a solver looks, even in the variable that it works in."""
    return even_in_log_snr(steps) if sampler in IN_LOG_SNR else even_in_time(steps)


def check_steps(sampler: str, steps: int) -> None:
    """Refuse a trajectory that is too short for its solver.

    Raises:
        UsageError: Naming the fewest steps, and a solver for so few.
    """
    fewest = MINIMUM_STEPS.get(sampler, 1)
    if steps < fewest:
        raise UsageError(
            f"sampling.steps {steps}: {sampler} needs at least {fewest} to reach its order; choose steps "
            f"{fewest}, or sampler euler."
        )


def solve(sampler: str, denoise: Denoiser, x: State, times: Sequence[float], eta: float, draw: Draw) -> State:
    """Carry noise to data with the solver of that name, or with `ddim`, which draws noise anew.

    Args:
        sampler: A key of `SOLVERS`, ddim, or ddpm: ancestral sampling, which is ddim with eta = 1.
        denoise: Predicts x_0.
        x: Noise.
        times: From 1 to 0.
        eta: Of `ddim`.
        draw: Fresh noise for each step, for `ddim`.
    """
    if sampler in ("ddim", "ddpm"):
        return ddim(denoise, x, times, 1.0 if sampler == "ddpm" else eta, draw)
    return SOLVERS[sampler](denoise, x, times)
