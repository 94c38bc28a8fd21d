"""AWS's container on record beside ours: every answer is equal, or docs/contract.md says why it is not."""

from collections import Counter

import pytest

import golden


@pytest.mark.parametrize("mode", golden.MODES)
def test_every_recorded_answer_is_equal_or_in_a_class_with_a_reason(server, tmp_path, mode):
    models = golden.unpack(tmp_path / "models")
    environment = {"SAGEMAKER_MULTI_MODEL": "true", **golden.MODES[mode]}
    started = server("--cache-dir", tmp_path / "cache", environment=environment)
    counts, odd = Counter(), []
    for pair, answer, name in golden.replay(started.url, models):
        counts[name] += 1
        print(f"{pair.at:3} {name}: {pair.request} {(pair.body or '')[:60]!r} → {answer.status} {answer.body[:100]!r}")
        if name is None:
            odd.append((pair, golden.differences(pair, answer)))
    assert not odd, f"{len(odd)} answers are in no class, the first: {odd[0]}"
    expected = {name: row[mode] for name, row in golden.documented().items() if row[mode]}
    assert dict(counts) == expected, "docs/contract.md counts otherwise"
    assert sum(counts.values()) == 362


def test_the_document_names_every_class_and_no_other():
    assert set(golden.documented()) == {"equal", *golden.CLASSES}
