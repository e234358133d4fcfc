from __future__ import annotations

import pytest

from sfumato.training.budget import CALIBRATION, CORRECTIONS, Budget


def simulate(seconds: float, rate, batch: int = 10) -> tuple[Budget, int, float]:
    """Train on a machine whose speed, images per second, is a function of the seconds gone."""
    budget, seen, spent = Budget(None, seconds), 0, 0.0
    while True:
        budget.update(seen, spent, batch)
        if budget.total and seen >= budget.total:
            return budget, seen, spent
        seen += batch
        spent += batch / rate(spent)
        assert seen < 10**6


def test_a_budget_in_images_is_kept():
    budget = Budget(640, None)
    assert budget.total == 640 and budget.settled
    assert not budget.update(64, 1.0, 64)
    assert budget.plans == []


def test_nothing_is_planned_before_the_first_step():
    budget = Budget(None, 10.0)
    assert not budget.update(0, 0.0, 10)
    assert budget.total == 0 and not budget.settled


def test_the_first_plan_is_provisional():
    budget = Budget(None, 100.0)
    assert budget.update(10, 1.0, 10)
    assert budget.total == 10 + 990 and not budget.settled
    assert not budget.update(20, 100 * CALIBRATION - 0.1, 10)
    assert budget.update(30, 100 * CALIBRATION, 10)
    assert budget.settled


def test_a_steady_machine_meets_the_budget():
    budget, seen, spent = simulate(60.0, lambda spent: 50.0)
    assert spent == pytest.approx(60, rel=0.01)
    assert seen == budget.total == pytest.approx(3000, rel=0.01)
    assert len(budget.plans) <= 2 + len(CORRECTIONS) + 1


def test_slow_first_steps_are_not_taken_as_typical():
    budget, seen, spent = simulate(60.0, lambda spent: 2.0 if spent < 5 else 50.0)
    assert spent == pytest.approx(60, rel=0.05)
    assert seen == pytest.approx(2750, rel=0.05)


@pytest.mark.parametrize(("seconds", "first", "usual"), [(180, 2, 0.015), (60, 0.5, 0.01), (60, 31, 0.05)])
def test_one_slow_first_step_does_not_end_the_run(seconds: float, first: float, usual: float):
    """A graphics card starts up, or a network is compiled, within the first step."""
    _, seen, spent = simulate(seconds, lambda spent: 10 / (usual if spent else first))
    assert spent == pytest.approx(seconds, rel=0.05)
    assert seen == pytest.approx(10 * (seconds - first) / usual, rel=0.05)


@pytest.mark.parametrize("later", [20.0, 120.0])
def test_a_machine_that_changes_is_corrected(later: float):
    _, _, spent = simulate(60.0, lambda spent: 50.0 if spent < 20 else later)
    assert spent == pytest.approx(60, rel=0.12)


def test_plans_are_whole_steps_and_in_order():
    budget, _, _ = simulate(30.0, lambda spent: 33.0 + spent, batch=32)
    assert all((total - seen) % 32 == 0 for seen, total in budget.plans)
    assert [seen for seen, _ in budget.plans] == sorted(seen for seen, _ in budget.plans)


def test_a_resumed_budget_goes_on_with_its_plans():
    plans = [(10, 1000), (50, 1200)]
    budget = Budget(None, 100.0, plans)
    assert budget.total == 1200 and budget.settled
    assert not budget.update(60, 5.0, 10)
    assert budget.update(180, 15.0, 10), "the correction at 15%"
    assert budget.plans is plans and len(plans) == 3


def test_when_the_time_is_up_the_plan_ends():
    budget = Budget(None, 10.0, [(10, 100)] * (2 + len(CORRECTIONS)))
    assert budget.update(90, 10.5, 10)
    assert budget.total == 90
