import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyf_pipeline.catalog.images import shows_screenshot
from pyf_pipeline.catalog.readme import render


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("![The map view](https://x.example/static/view.png)", True),
        ("![](https://x.example/docs/screenshot.png)", True),
        ("![Screenshot](https://x.example/a.svg)", True),
        ("![demo](https://x.example/demo.gif)", True),
        ("![](https://github.example/user-attachments/assets/0b1c)", True),
        ('<img src="https://x.example/view.png" width="600" height="400">', True),
        ('<img src="https://x.example/view.png" width="100%">', True),
        ("[![x](https://x.example/view.jpg)](https://x.example)", True),
        ("![build](https://img.shields.io/pypi/v/maps.png)", False),
        ("![screenshot](https://x.example/badges/quality.png)", False),
        ("![CI](https://github.example/a/maps/actions/workflows/ci.yml/badge.svg)", False),
        ("![CI](https://github.example/a/maps/workflows/CI/x.svg)", False),
        ("![Coverage](https://codecov.io/gh/a/maps/graph.png)", False),
        ("![Build Status](https://ci.example/maps.png)", False),
        ("![Logo](https://x.example/maps.png)", False),
        ("![](https://x.example/logo.png)", False),
        ("![drawing](https://x.example/drawing.svg?raw=true)", False),
        ('<img src="https://x.example/view.png" width="24">', False),
        ('<img src="https://x.example/view.png" height="20px">', False),
        ("![view](docs/view.png)", False),
        ("`![view](https://x.example/view.png)`", False),
        ("no image", False),
        ("", False),
    ],
)
def test_screenshots(image: str, expected: bool) -> None:
    assert shows_screenshot(render(image, "text/markdown").html) is expected


def test_one_screenshot_among_badges_is_enough() -> None:
    badges = "![x](https://img.shields.io/a.svg)\n" * 5
    assert shows_screenshot(render(badges + "\n![x](https://x.example/x.png)\n" + badges, "text/markdown").html)


@given(st.text())
def test_text_is_no_image(text: str) -> None:
    assert not shows_screenshot(render(text, "text/plain").html)
