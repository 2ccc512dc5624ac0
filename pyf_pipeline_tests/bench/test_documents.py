from pyf_pipeline_tests.bench.documents import measure


def test_what_is_measured_is_done() -> None:
    figures = list(measure(60))
    assert [figure.what.split(":")[0] for figure in figures] == ["60 documents"] * 4
    assert all(figure.value > 0 for figure in figures[:3])
