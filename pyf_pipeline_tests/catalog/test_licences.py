import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.licenses import canonicalize_license_expression
from trove_classifiers import sorted_classifiers

from pyf_pipeline.catalog.licences import spdx

OSI = "License :: OSI Approved :: "
BSD_TEXT = """Copyright (c) 2020, Somebody
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met: redistributions in binary form must reproduce the above copyright notice, this list of
conditions and the following disclaimer in the documentation. {third} THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS
"""
MIT_TEXT = """Copyright (c) 2020, Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated files, to
deal in the Software without restriction, including without limitation the rights to use, copy, modify and publish it,
subject to the following conditions: the above notice and this one shall be included in all copies of the Software.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT", "MIT"), ("mit", "MIT"), ("MIT License", "MIT"), ("The MIT License (MIT)", "MIT"), ("MIT/X11", "MIT"),
        ("Expat", "MIT"), ("Apache License, Version 2.0", "Apache-2.0"), ("Apache 2", "Apache-2.0"),
        ("Apache Software License", "Apache-2.0"), ("Apache License 2.0 (Apache-2.0)", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"), ("New BSD", "BSD-3-Clause"), ("2-clause BSD", "BSD-2-Clause"),
        ("bsd-3-clause", "BSD-3-Clause"), ("BSD", ""), ("BSD License", ""),
        ("GPL version 2", "GPL-2.0-only"), ("GPLv2", "GPL-2.0-only"), ("GPLv2+", "GPL-2.0-or-later"),
        ("GPL-2.0", "GPL-2.0-only"), ("GPL-2.0+", "GPL-2.0-or-later"), ("gpl-3.0-or-later", "GPL-3.0-or-later"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"), ("GPL version 2 or later", "GPL-2.0-or-later"),
        ("GNU General Public License, version 2 or any later version", "GPL-2.0-or-later"),
        ("GNU GPL v3 or later", "GPL-3.0-or-later"), ("GPLv3 only", "GPL-3.0-only"), ("GPL", ""), ("GNU GPL", ""),
        ("LGPLv3", "LGPL-3.0-only"), ("LGPL-2.1+", "LGPL-2.1-or-later"), ("LGPL 2", ""),
        ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"), ("AGPLv3", "AGPL-3.0-only"),
        ("GNU Affero General Public License Version 3", "AGPL-3.0-only"),
        ("ZPL 2.1", "ZPL-2.1"), ("Zope Public License (ZPL) Version 2.1", "ZPL-2.1"), ("ZPL", ""),
        ("MPL 2.0", "MPL-2.0"), ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"), ("EUPL 1.2", "EUPL-1.2"),
        ("ISC License (ISCL)", "ISC"), ("Unlicense", "Unlicense"), ("CC0", "CC0-1.0"), ("Zlib", "Zlib"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"), ("mit and (bsd-3-clause or gpl-2.0)",
                                                    "MIT AND (BSD-3-Clause OR GPL-2.0-only)"),
        ("GPL v2 or MIT", ""), ("Proprietary", ""), ("see LICENSE", ""), ("Public Domain", ""), ("", ""), (" \n", ""),
        ("GPL 7", ""), ("MIT, but not for evil", ""), ("LicenseRef-Ours", "LicenseRef-Ours"),
        (MIT_TEXT, "MIT"), (BSD_TEXT.format(third="Neither the name of Somebody nor of others."), "BSD-3-Clause"),
        (BSD_TEXT.format(third=""), "BSD-2-Clause"), ("word " * 5_000, ""),
    ],
)  # fmt: skip
def test_free_text(text: str, expected: str) -> None:
    assert spdx("", [], text) == expected


@pytest.mark.parametrize(
    ("classifiers", "text", "expected"),
    [
        (["MIT License"], "", "MIT"),
        (["MIT License"], "MIT", "MIT"),
        (["MIT License"], "see the file LICENSE", "MIT"),
        (["MIT License"], "Apache 2.0", ""),
        (["BSD License"], "", ""),
        (["BSD License"], "BSD-3-Clause", "BSD-3-Clause"),
        (["BSD License"], "BSD", ""),
        (["Apache Software License"], "", "Apache-2.0"),
        (["GNU General Public License v2 (GPLv2)"], "", "GPL-2.0-only"),
        (["GNU General Public License v2 (GPLv2)"], "GPL", "GPL-2.0-only"),
        (["GNU General Public License v2 (GPLv2)"], "GPL version 2 or later", "GPL-2.0-or-later"),
        (["GNU General Public License v2 or later (GPLv2+)"], "GPL", "GPL-2.0-or-later"),
        (["GNU General Public License (GPL)"], "GPLv3", "GPL-3.0-only"),
        (["GNU General Public License (GPL)", "GNU General Public License v3 (GPLv3)"], "", "GPL-3.0-only"),
        (["MIT License", "Apache Software License"], "", ""),
        (["MIT License", "Apache Software License"], "MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        (["Zope Public License"], "ZPL 2.1", "ZPL-2.1"),
        (["MIT License", "A Licence Nobody Knows"], "", ""),
    ],
)
def test_classifiers_and_text_together(classifiers: list[str], text: str, expected: str) -> None:
    assert spdx("", ["License :: OSI Approved", *(OSI + name for name in classifiers)], text) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("mit", "MIT"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("apache-2.0 or mit", "Apache-2.0 OR MIT"),
        ("not a licence", "BSD-3-Clause"),
    ],
)
def test_an_expression_counts_where_it_is_valid(expression: str, expected: str) -> None:
    assert spdx(expression, [], "BSD-3-Clause") == expected


@pytest.mark.parametrize("piece", ["-", " ", ".", "+", "v", "gpl ", "or ", "2.", "version ", "any later ", "mpl "])
def test_no_text_takes_long(piece: str) -> None:
    started = time.perf_counter()
    for length in (290, 3_000):
        spdx("", [], "GPL" + (piece * length)[:length] + "!x")
    assert time.perf_counter() - started < 1


@given(st.text(), st.lists(st.sampled_from(sorted_classifiers)), st.text())
def test_what_is_given_is_always_a_valid_expression(expression: str, classifiers: list[str], text: str) -> None:
    found = spdx(expression, classifiers, text)
    assert not found or canonicalize_license_expression(found) == found


@pytest.mark.parametrize("classifier", [c for c in sorted_classifiers if c.startswith("License :: ")])
def test_every_classifier_gives_a_valid_expression_or_nothing(classifier: str) -> None:
    found = spdx("", [classifier], "")
    assert not found or canonicalize_license_expression(found) == found


@given(st.sampled_from([c for c in sorted_classifiers if c.startswith("License :: ")]), st.text())
def test_a_canonical_expression_stays_what_it_is(classifier: str, text: str) -> None:
    found = spdx("", [classifier], text)
    assert spdx(found, [], "") == found
