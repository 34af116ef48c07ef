import numpy as np
import pytest

from classifiers.baseline import Baseline
from classifiers.calibration import (
    AbstainRule,
    choose_abstain,
    choose_sure,
    expected_calibration_error,
    fit_temperature,
    leads_filed,
    log_loss,
    softmax,
)
from classifiers.dataset import Item
from classifiers.errors import CorpusError, TrainingError
from classifiers.evaluate import evaluate, wilson
from classifiers.labels import LABELS, Label
from classifiers.model import verdicts
from classifiers.verdict import Example, Verdict

LEAD, SUPPORT = LABELS.index("lead"), LABELS.index("support")


def probabilities(*rows: dict[Label, float]) -> np.ndarray:
    return np.array([[row.get(label, 0.0) for label in LABELS] for row in rows])


def said(*labels: Label) -> list[Verdict]:
    rows: list[dict[Label, float]] = [{label: 1.0} for label in labels]
    return verdicts(probabilities(*rows), AbstainRule(), "m@1")


def items(*labels: Label, source: str = "") -> list[Item]:
    return [Item(str(n), Example("email", ""), label, source) for n, label in enumerate(labels)]


def overconfident(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Logits three times too large for labels that are drawn from them."""
    rng = np.random.default_rng(4)
    honest = rng.normal(0, 2, (n, len(LABELS)))
    truth = np.array([rng.choice(len(LABELS), p=row) for row in softmax(honest)])
    return honest * 3, truth


def test_temperature_mends_overconfidence() -> None:
    logits, truth = overconfident()
    temperature = fit_temperature(logits, truth)
    assert temperature == pytest.approx(3, rel=0.15)
    assert log_loss(logits, truth, temperature) < log_loss(logits, truth)
    before = expected_calibration_error(softmax(logits), truth)
    after = expected_calibration_error(softmax(logits, temperature), truth)
    assert after < 0.06 < before


def test_probabilities_sum_to_one_whatever_the_logits() -> None:
    extreme = np.array([[1e4] + [0.0] * 8, [-1e4] * 9])
    assert softmax(extreme).sum(axis=1) == pytest.approx([1, 1])


def test_abstaining_stays_within_its_share_and_helps() -> None:
    logits, truth = overconfident()
    p = softmax(logits, 3)
    rule = choose_abstain(p, truth, review_share=0.15)
    gone = rule.abstains(p)
    right = p.argmax(axis=1) == truth
    assert 0 < gone.mean() <= 0.15
    assert right[~gone].mean() > right.mean()


def test_leads_that_are_not_sure_go_to_review() -> None:
    p = probabilities({"lead": 0.9, "spam": 0.1}, {"lead": 0.6, "spam": 0.4}, {"spam": 1.0})
    assert AbstainRule(sure=0.7).abstains(p).tolist() == [False, True, False]


def test_sure_is_where_enough_are_leads() -> None:
    p = probabilities(*[{"lead": q, "spam": 1 - q} for q in (0.95, 0.9, 0.85, 0.62, 0.6, 0.55)])
    truth = np.array([LEAD, LEAD, LEAD, LEAD, SUPPORT, SUPPORT])
    assert choose_sure(p, truth) == 0.65
    assert choose_sure(p, truth, precision=0.14) == 0.0  # of all that reaches an inbox
    more = np.concatenate([p[:4]] * 9 + [p[4:]])
    assert choose_sure(more, np.concatenate([truth[:4]] * 9 + [truth[4:]])) == 0.65
    assert choose_sure(p, np.full(6, SUPPORT)) == 0.0


def test_review_for_the_leads_counts_towards_the_share() -> None:
    logits, truth = overconfident()
    p = softmax(logits, 3)
    floor = float(np.quantile(p[p.argmax(axis=1) != 0, 0], 0.9))
    rule = choose_abstain(p, truth, lead=floor, review_share=0.15)
    assert rule.lead == floor
    assert AbstainRule(lead=floor).abstains(p).mean() < rule.abstains(p).mean() <= 0.15


def test_no_rule_is_added_where_the_leads_take_the_whole_share() -> None:
    logits, truth = overconfident()
    rule = choose_abstain(softmax(logits, 3), truth, lead=0.0, review_share=0.15)
    assert rule == AbstainRule(lead=0.0)


def test_perfect_model_never_abstains() -> None:
    p = probabilities({"lead": 0.9, "spam": 0.1}, {"spam": 0.8, "lead": 0.2})
    rule = choose_abstain(p, p.argmax(axis=1))
    assert rule == AbstainRule()


def test_leads_that_nobody_would_see() -> None:
    p = probabilities(
        {"support": 0.9, "lead": 0.1},  # filed
        {"support": 0.7, "lead": 0.3},  # likely enough for review
        {"support": 0.9, "lead": 0.1},  # abstained
        {"support": 0.9, "lead": 0.1},  # no lead
        {"lead": 0.9},
    )
    truth = np.array([LEAD, LEAD, LEAD, SUPPORT, LEAD])
    abstained = np.array([False, False, True, False, False])
    assert leads_filed(p, truth, abstained, floor=0.2).tolist() == [0]
    assert leads_filed(p, truth, abstained).tolist() == [0, 1]


def test_verdict_margin_and_confidence() -> None:
    [verdict] = verdicts(probabilities({"spam": 0.6, "lead": 0.4}), AbstainRule(0.7), "m@1")
    assert (verdict.label, verdict.model, verdict.abstained) == ("spam", "m@1", True)
    assert verdict.confidence == 0.6
    assert verdict.margin == pytest.approx(0.2)
    assert set(verdict.scores) == set(LABELS)


def test_wilson_knows_textbook_values() -> None:
    estimate = wilson(8, 10)
    assert (estimate.low, estimate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0).high == 1.0


def test_report_counts_by_hand() -> None:
    truth = [*items("lead", "lead", "lead", "spam", source="a"), *items("spam", source="b")]
    report = evaluate(truth, said("lead", "lead", "spam", "spam", "lead"))
    assert report.confusion == {"lead": {"lead": 2, "spam": 1}, "spam": {"lead": 1, "spam": 1}}
    lead = report.classes["lead"]
    assert (lead.support, lead.precision.value, lead.recall.value) == (3, 2 / 3, 2 / 3)
    assert report.macro_f1.value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert report.macro_f1.low < report.macro_f1.value < report.macro_f1.high
    assert report.sources["a"].accuracy.value == 0.75
    assert report.sources["b"].macro_f1.value == 0.0
    assert report.lead_recall.value == pytest.approx(2 / 3)
    assert report.leads_sent.value == pytest.approx(2 / 3)
    assert report.leads_filed.value == pytest.approx(1 / 3)
    assert (report.coverage, report.items) == (1.0, 5)


def test_macro_f1_is_over_labels_that_occur() -> None:
    report = evaluate(items("lead", "spam"), said("lead", "personal"))
    assert report.macro_f1.value == pytest.approx(0.5)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(CorpusError, match="nothing to compare"):
        evaluate([], [])
    with pytest.raises(CorpusError, match="without a label"):
        evaluate([Item("1", Example("email", ""))], said("lead"))


def test_baseline_learns_and_keeps_order() -> None:
    words: dict[Label, str] = {
        "lead": "please quote forty boxes",
        "spam": "claim your crypto prize now",
        "support": "my order arrived broken",
    }
    examples = [Example("email", f"{text} {n}") for text in words.values() for n in range(6)]
    labels: list[Label] = [label for label in words for _ in range(6)]
    baseline = Baseline.fit(examples, labels)
    found = baseline.classify([Example("email", text) for text in reversed(words.values())])
    assert [verdict.label for verdict in found] == ["support", "spam", "lead"]
    assert found[0].scores["misdial"] == 0.0
    assert baseline.classify([]) == []
    with pytest.raises(TrainingError, match="two labels"):
        Baseline.fit(examples[:2], labels[:2])
