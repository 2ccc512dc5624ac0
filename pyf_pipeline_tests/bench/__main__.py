"""Measures how fast the pipeline is: `python -m pyf_pipeline_tests.bench [name…]`, or `make bench`.

Every module of this package that has `BENCHMARKS`, functions by name that yield figures, takes part. Those that take
long may be named in its `ON_REQUEST`: they are run where they are asked for alone.
"""

import argparse
import importlib
import pkgutil
from collections.abc import Callable, Iterator

from rich.console import Console

import pyf_pipeline_tests.bench as package
from pyf_pipeline_tests.bench.figures import Figure, keep, last, table

Benchmark = Callable[[], Iterator[Figure]]


def main(arguments: list[str] | None = None) -> int:
    """Run benchmarks; returns 1 where a figure exceeds its bound."""
    known, on_request = _known()
    parser = argparse.ArgumentParser(prog="python -m pyf_pipeline_tests.bench", description="Measure the pipeline.")
    usual = [name for name in known if name not in on_request]
    which = f"which; by default {', '.join(usual)}; on request {', '.join(sorted(on_request))} too"
    parser.add_argument("names", nargs="*", metavar="name", help=which)
    names = parser.parse_args(arguments).names or usual
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    console = Console(highlight=False)
    all_hold = True
    for name in names:
        before = last(name)
        with console.status(f"measuring {name}"):
            figures = list(known[name]())
        keep(name, figures)
        console.print(table(name, figures, before))
        all_hold &= all(figure.holds for figure in figures)
    return 0 if all_hold else 1


def _known() -> tuple[dict[str, Benchmark], set[str]]:
    found: dict[str, Benchmark] = {}
    on_request: set[str] = set()
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if info.name != "__main__":
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            found |= getattr(module, "BENCHMARKS", {})
            on_request |= getattr(module, "ON_REQUEST", set())
    return found, on_request


if __name__ == "__main__":
    raise SystemExit(main())
