"""Licences as SPDX expressions, where what a project says leaves no doubt (https://spdx.org/licenses/).

A project may say it three times: by a licence expression (PEP 639), by classifiers, and in free text, which holds
anything from "BSD" to a whole licence. Each is read as the set of licences that it may mean, and only where all of them
together leave one, that one is given.
"""

import re
from collections.abc import Iterable

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

Meanings = frozenset[str]

_PREFIX = "License :: "
_LONGEST_EXPRESSION = 300
# How much of a pasted licence tells which one it is.
_TELLING = 3_000

_BSD = frozenset(("BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "0BSD"))
_APACHE = frozenset(("Apache-2.0",))
_PYTHON = frozenset(("PSF-2.0", "Python-2.0", "Python-2.0.1"))
_VERSIONS = {
    "GPL": ("1.0", "2.0", "3.0"), "LGPL": ("2.0", "2.1", "3.0"), "AGPL": ("1.0", "3.0"),
}  # fmt: skip
_VERSIONED = {
    "MPL": ("1.0", "1.1", "2.0"), "ZPL": ("1.1", "2.0", "2.1"), "EPL": ("1.0", "2.0"), "EUPL": ("1.0", "1.1", "1.2"),
    "AFL": ("1.1", "1.2", "2.0", "2.1", "3.0"), "CDDL": ("1.0", "1.1"),
}  # fmt: skip


def _gnu(family: str, version: str = "", *, later: bool | None = None) -> Meanings:
    """What a name of a GNU licence may mean.

    Args:
        family: GPL, LGPL or AGPL.
        version: Such as "2", "2.1" or "3.0"; "" for any.
        later: Whether it says "or later"; None where that is not said, which leaves both.
    """
    versions = [v for v in _VERSIONS[family] if not version or v in {version, f"{version}.0"}]
    # The second version of the LGPL is mostly 2.1, and called 2 all the same.
    if family == "LGPL" and version == "2":
        versions = ["2.0", "2.1"]
    suffixes = {None: ("only", "or-later"), True: ("or-later",), False: ("only",)}[later]
    return frozenset(f"{family}-{v}-{suffix}" for v in versions for suffix in suffixes)


def _family(name: str) -> Meanings:
    return frozenset(f"{name}-{version}" for version in _VERSIONED[name])


def _one(name: str) -> Meanings:
    return frozenset((name,))


_OSI = "OSI Approved :: "
# Without the "License :: " in front. Those that are not listed say nothing that SPDX has a name for.
_BY_CLASSIFIER: dict[str, Meanings] = {
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": _one("CC0-1.0"),
    "CeCILL-B Free Software License Agreement (CECILL-B)": _one("CECILL-B"),
    "CeCILL-C Free Software License Agreement (CECILL-C)": _one("CECILL-C"),
    _OSI + "Academic Free License (AFL)": _family("AFL"),
    # Nobody has published on PyPI under the two versions before.
    _OSI + "Apache Software License": _APACHE,
    _OSI + "Artistic License": frozenset(("Artistic-1.0", "Artistic-2.0")),
    _OSI + "BSD License": _BSD,
    _OSI + "Blue Oak Model License (BlueOak-1.0.0)": _one("BlueOak-1.0.0"),
    _OSI + "Boost Software License 1.0 (BSL-1.0)": _one("BSL-1.0"),
    _OSI + "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": _one("CECILL-2.1"),
    _OSI + "CMU License (MIT-CMU)": _one("MIT-CMU"),
    _OSI + "Common Development and Distribution License 1.0 (CDDL-1.0)": _one("CDDL-1.0"),
    _OSI + "Eclipse Public License 1.0 (EPL-1.0)": _one("EPL-1.0"),
    _OSI + "Eclipse Public License 2.0 (EPL-2.0)": _one("EPL-2.0"),
    _OSI + "Educational Community License, Version 2.0 (ECL-2.0)": _one("ECL-2.0"),
    _OSI + "European Union Public Licence 1.0 (EUPL 1.0)": _one("EUPL-1.0"),
    _OSI + "European Union Public Licence 1.1 (EUPL 1.1)": _one("EUPL-1.1"),
    _OSI + "European Union Public Licence 1.2 (EUPL 1.2)": _one("EUPL-1.2"),
    # The classifiers of one version say less than they seem to: most who say "or later" elsewhere carry them too.
    _OSI + "GNU Affero General Public License v3": _gnu("AGPL", "3"),
    _OSI + "GNU Affero General Public License v3 or later (AGPLv3+)": _gnu("AGPL", "3", later=True),
    _OSI + "GNU General Public License (GPL)": _gnu("GPL"),
    _OSI + "GNU General Public License v2 (GPLv2)": _gnu("GPL", "2"),
    _OSI + "GNU General Public License v2 or later (GPLv2+)": _gnu("GPL", "2", later=True),
    _OSI + "GNU General Public License v3 (GPLv3)": _gnu("GPL", "3"),
    _OSI + "GNU General Public License v3 or later (GPLv3+)": _gnu("GPL", "3", later=True),
    _OSI + "GNU Lesser General Public License v2 (LGPLv2)": _gnu("LGPL", "2"),
    _OSI + "GNU Lesser General Public License v2 or later (LGPLv2+)": _gnu("LGPL", "2", later=True),
    _OSI + "GNU Lesser General Public License v3 (LGPLv3)": _gnu("LGPL", "3"),
    _OSI + "GNU Lesser General Public License v3 or later (LGPLv3+)": _gnu("LGPL", "3", later=True),
    _OSI + "GNU Library or Lesser General Public License (LGPL)": _gnu("LGPL"),
    _OSI + "Historical Permission Notice and Disclaimer (HPND)": _one("HPND"),
    _OSI + "ISC License (ISCL)": _one("ISC"),
    _OSI + "MIT License": _one("MIT"),
    _OSI + "MIT No Attribution License (MIT-0)": _one("MIT-0"),
    _OSI + "MirOS License (MirOS)": _one("MirOS"),
    _OSI + "Mozilla Public License 1.0 (MPL)": _one("MPL-1.0"),
    _OSI + "Mozilla Public License 1.1 (MPL 1.1)": _one("MPL-1.1"),
    _OSI + "Mozilla Public License 2.0 (MPL 2.0)": _one("MPL-2.0"),
    _OSI + "Mulan Permissive Software License v2 (MulanPSL-2.0)": _one("MulanPSL-2.0"),
    _OSI + "Open Software License 3.0 (OSL-3.0)": _one("OSL-3.0"),
    _OSI + "PostgreSQL License": _one("PostgreSQL"),
    _OSI + "Python Software Foundation License": _PYTHON,
    _OSI + "SIL Open Font License 1.1 (OFL-1.1)": _one("OFL-1.1"),
    _OSI + "The Unlicense (Unlicense)": _one("Unlicense"),
    _OSI + "Universal Permissive License (UPL)": _one("UPL-1.0"),
    _OSI + "University of Illinois/NCSA Open Source License": _one("NCSA"),
    _OSI + "Zero-Clause BSD (0BSD)": _one("0BSD"),
    _OSI + "Zope Public License": _family("ZPL"),
    _OSI + "zlib/libpng License": _one("Zlib"),
}
# That a licence is approved, or free, is no licence.
_GENERAL = frozenset(("OSI Approved", "DFSG approved", "Freely Distributable"))

_WORDS = re.compile(r"[a-z0-9.+]+")
_FILLERS = frozenset(("the", "license", "licence", "licensed", "under", "version", "v", "v.", "of", "a", "software"))
# Both match texts in lower case with nothing but letters, digits, full stops, pluses and single blanks, so that there
# is nothing over which they could take long.
_GNU_TEXT = re.compile(
    r"(?:the )?(?:gnu )?(?P<short>[al]?gpl)?"
    r"(?P<long> ?(?:gnu )?(?:(?P<kind>lesser|library|affero) )?general public licen[cs]e)?"
    r" ?(?:[al]?gpl ?)?(?:version|ver\.?|v\.?|licen[cs]e)? ?(?P<number>\d(?:\.\d)?)?(?P<plus>\+)?"
    r"(?P<later> (?:or |and )?(?:or )?(?:at your option )?(?:any )?(?:later|newer|above|greater|higher)\b.*)?"
    r"(?P<only> only)?(?: [al]?gpl ?v?[\d.]{0,3}\+?)?(?: licen[cs]e)?\.?"
)
_VERSIONED_TEXT = re.compile(
    r"(?:the )?(?:mozilla public|zope public|eclipse public|european union public|academic free|mpl|zpl|epl|eupl|afl)"
    r"[a-z .]{0,40}(?P<number>\d(?:\.\d)?)?(?: (?:mpl|zpl|epl|eupl|afl) ?v?[\d.]{0,3})?(?: licen[cs]e)?\.?"
)
_VERSIONED_NAMES = {
    "mozilla": "MPL", "mpl": "MPL", "zope": "ZPL", "zpl": "ZPL", "eclipse": "EPL", "epl": "EPL", "european": "EUPL",
    "eupl": "EUPL", "academic": "AFL", "afl": "AFL",
}  # fmt: skip
# What short texts say once words such as "the", "license" and "version" are left out.
_BY_TEXT: dict[str, Meanings] = {
    **dict.fromkeys(("mit", "mit expat", "expat", "mit x11", "mit x"), _one("MIT")),
    **dict.fromkeys(("apache 2.0", "apache 2", "apache2", "apache2.0", "asl 2.0", "asl 2", "apache", "al2", "apache v2",
                     "apache v2.0", "apache2.0 apache 2.0"), _APACHE),
    **dict.fromkeys(("bsd", "bsd like", "bsd style", "bsd derived", "modified bsd", "simplified bsd"), _BSD),
    **dict.fromkeys(("3 clause bsd", "bsd 3 clause", "new bsd", "bsd 3", "revised bsd", "bsd new", "bsd3",
                     "bsd 3 clauses", "3 clauses bsd", "bsd three clause",
                     "three clause bsd", "bsd 3 clause new or revised"),
                    _one("BSD-3-Clause")),
    **dict.fromkeys(("2 clause bsd", "bsd 2 clause", "freebsd", "bsd 2", "bsd2", "two clause bsd"),
                    _one("BSD-2-Clause")),
    **dict.fromkeys(("isc", "iscl", "isc iscl"), _one("ISC")),
    **dict.fromkeys(("unlicense", "un"), _one("Unlicense")),
    **dict.fromkeys(("cc0", "cc0 1.0", "cc0 1.0 universal"), _one("CC0-1.0")),
    **dict.fromkeys(("psf", "python foundation", "psfl", "python"), _PYTHON),
    "wtfpl": _one("WTFPL"),
    "zlib": _one("Zlib"),
    "zlib libpng": _one("Zlib"),
    "boost": _one("BSL-1.0"),
    "boost 1.0": _one("BSL-1.0"),
}  # fmt: skip
# What tells a whole licence, with all space as one blank and in lower case; the first that fits counts.
_BY_PASSAGE: tuple[tuple[re.Pattern[str], Meanings], ...] = tuple(
    (re.compile(pattern), meanings)
    for pattern, meanings in (
        (r"redistribution and use in source and binary forms.*advertising materials", _one("BSD-4-Clause")),
        (r"redistribution and use in source and binary forms.*(neither the name|names? of)", _one("BSD-3-Clause")),
        (r"redistribution and use in source and binary forms.*disclaimer in the documentation.*this software is",
         _one("BSD-2-Clause")),
        (r"permission is hereby granted, free of charge, to any person obtaining a copy.*shall be included in all",
         _one("MIT")),
        (r"apache license,? version 2\.0", _APACHE),
        (r"permission to use, copy, modify, and/?(or)? ?distribute this software for any purpose with or without fee",
         _one("ISC")),
        (r"free and unencumbered software released into the public domain", _one("Unlicense")),
        (r"mozilla public license,? (version|v\.) 2\.0", _one("MPL-2.0")),
        (r"gnu affero general public license version 3, 19 november 2007", _gnu("AGPL", "3")),
        (r"gnu lesser general public license version 3, 29 june 2007", _gnu("LGPL", "3")),
        (r"gnu general public license version 3, 29 june 2007", _gnu("GPL", "3")),
        (r"gnu general public license version 2, june 1991", _gnu("GPL", "2")),
        (r"either version 3 of the license, or \(at your option\) any later", _gnu("GPL", "3", later=True)),
        (r"either version 2 of the license, or \(at your option\) any later", _gnu("GPL", "2", later=True)),
    )
)  # fmt: skip


def spdx(expression: str, classifiers: Iterable[str], text: str) -> str:
    """A project's licence as an SPDX expression in its canonical spelling, "" where it is not clear.

    Args:
        expression: The metadata's `License-Expression`, which counts alone where it is valid.
        classifiers: The metadata's classifiers.
        text: The metadata's `License`, which is free text.
    """
    said = _canonical(expression)
    if said:
        return said
    in_text = _canonical(text)
    if " " in in_text:
        return in_text
    named = [c.removeprefix(_PREFIX) for c in classifiers if c.startswith(_PREFIX)]
    found = [_BY_CLASSIFIER.get(name, frozenset()) for name in named if name not in _GENERAL]
    if text.strip():
        meant = _one(in_text) if in_text else _meanings(text)
        # A text that nobody understands may say anything, which classifiers then tell; they are for machines.
        found += [meant] if meant or not found else []
    left = frozenset.intersection(*found) if found else frozenset()
    # "GPL version 2" names no later one; only beside something that says "or later" does it not speak against it.
    left = frozenset(name for name in left if not name.endswith("-or-later")) or left
    return next(iter(left)) if len(left) == 1 else ""


def _canonical(expression: str) -> str:
    """A valid expression in its canonical spelling, with today's names for the GNU licences; "" for anything else."""
    if not expression.strip() or len(expression) > _LONGEST_EXPRESSION:
        return ""
    try:
        found = str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return ""
    words = (_todays_name(word) for word in re.split(r"([\s()]+)", found))
    return "".join(words).strip()


def _todays_name(word: str) -> str:
    """`GPL-2.0` and `GPL-2.0+` are deprecated in favour of names that say what they mean."""
    if not re.fullmatch(r"[AL]?GPL-\d\.\d\+?", word):
        return word
    return f"{word[:-1]}-or-later" if word.endswith("+") else f"{word}-only"


def _meanings(text: str) -> Meanings:
    """The licences that a free text may mean; none where it is not understood."""
    flat = " ".join(text[:_TELLING].lower().split())
    if len(flat) > _LONGEST_EXPRESSION:
        return next((meanings for pattern, meanings in _BY_PASSAGE if pattern.search(flat)), frozenset())
    # Many say it twice, as in "MIT License (MIT)".
    words = dict.fromkeys(word.rstrip(".") for word in _WORDS.findall(flat) if word not in _FILLERS)
    by_name = _BY_TEXT.get(" ".join(words))
    plain = " ".join(_WORDS.findall(flat))
    return by_name or _gnu_meanings(plain) or _versioned_meanings(plain)


def _gnu_meanings(text: str) -> Meanings:
    match = _GNU_TEXT.fullmatch(text)
    if not match or not (match["short"] or match["long"]):
        return frozenset()
    by_kind = {"lesser": "LGPL", "library": "LGPL", "affero": "AGPL"}
    family = match["short"].upper() if match["short"] else by_kind.get(match["kind"] or "", "GPL")
    if match["plus"] or match["later"]:
        return _gnu(family, match["number"] or "", later=True)
    return _gnu(family, match["number"] or "", later=False if match["only"] else None)


def _versioned_meanings(text: str) -> Meanings:
    match = _VERSIONED_TEXT.fullmatch(text)
    if not match:
        return frozenset()
    name = _VERSIONED_NAMES[next(word for word in _WORDS.findall(text) if word in _VERSIONED_NAMES)]
    number = match["number"] or ""
    return frozenset(
        f"{name}-{version}" for version in _VERSIONED[name] if not number or version in {number, f"{number}.0"}
    )
