"""Names of made-up projects, owners and people, in the styles of the ecosystems."""

import random
import re
from collections.abc import Iterator

# Invented modifiers that tell projects about the same subject apart.
BRANDS: tuple[str, ...] = (
    "amber", "alder", "aspen", "badger", "barley", "basalt", "beacon", "birch", "bracken", "bramble", "brisk", "brook",
    "cedar", "chalk", "clover", "cobalt", "copper", "coral", "crane", "cress", "dapple", "delta", "dune", "ember",
    "fathom", "fennel", "fern", "fjord", "flint", "foxglove", "gannet", "garnet", "glade", "gorse", "granite", "grove",
    "hazel", "heath", "heron", "hollow", "indigo", "islet", "ivory", "jasper", "juniper", "kelp", "kestrel", "lagoon",
    "larch", "lark", "linden", "loam", "lunar", "magpie", "maple", "marsh", "meadow", "mica", "mistral", "moss",
    "nettle", "nimbus", "oaken", "ochre", "onyx", "osprey", "otter", "pebble", "petrel", "pine", "plover", "poplar",
    "quartz", "quill", "raven", "reed", "ridge", "robin", "rowan", "russet", "saffron", "sage", "sandbar", "sedge",
    "shale", "skerry", "slate", "sorrel", "sparrow", "spruce", "starling", "stoat", "swift", "tamarisk", "tansy",
    "teal", "thistle", "thrush", "tidal", "topaz", "tundra", "umber", "vale", "verdant", "vesper", "violet", "walnut",
    "wharf", "wheat", "willow", "wren", "yarrow", "yew", "zephyr", "zinc",
)  # fmt: skip

FIRST_NAMES: tuple[str, ...] = (
    "Maria", "José", "Łukasz", "Zoë", "Ngozi", "Amélie", "Jürgen", "Søren", "Yuki", "Priya", "Anaïs", "Mehmet",
    "Björn", "Chloé", "Dmitri", "Elif", "Femi", "Gérard", "Hanna", "Inés", "Jana", "Kwame", "Lía", "Małgorzata",
    "Núria", "Olga", "Pádraig", "Quentin", "Rosa", "Siân", "Tomáš", "Ulrike", "Víctor", "Wen", "Ximena", "Yusuf",
)  # fmt: skip
LAST_NAMES: tuple[str, ...] = (
    "Moreau", "Österlund", "Kowalczyk", "Okafor", "Müller", "Nakagawa", "Ferreira", "Díaz", "Sørensen", "Novák",
    "Öztürk", "Iyer", "Brennan", "Castellà", "Dubois", "Fischer", "Gallo", "Horváth", "Jansen", "Kruse", "Lindqvist",
    "Mbeki", "O'Rourke", "Petrov", "Quispe", "Romano", "Szabó", "Tanaka", "Ueda", "Vargas", "Weiß", "Zieliński",
)  # fmt: skip
OWNER_WORDS: tuple[str, ...] = ("labs", "works", "collective", "coop", "studio", "hq", "foundry", "guild", "dev", "io")


def normalise(name: str) -> str:
    """The name by PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def person(rng: random.Random) -> tuple[str, str]:
    """A made-up person's name and an address at a reserved domain."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    local = re.sub(r"[^a-z]", "", (first[0] + last).lower()) or "someone"
    return f"{first} {last}", f"{local}@mail.example"


def owner(rng: random.Random) -> str:
    """A GitHub owner's login."""
    brand = rng.choice(BRANDS)
    login = f"{brand}-{rng.choice(OWNER_WORDS)}" if rng.random() < 0.6 else f"{brand}{rng.randrange(100)}"
    return login.title() if rng.random() < 0.15 else login


def _camel(noun: str) -> str:
    return "".join(part.capitalize() for part in noun.split("-"))


def _styles(framework: str | None, noun: str, title: str) -> tuple[str, ...]:
    flat = noun.replace("-", "")
    snake = noun.replace("-", "_")
    if framework == "Plone":
        if title == "Theme":
            return f"plonetheme.{flat}", f"collective.{flat}"
        common = f"collective.{flat}"
        return common, common, f"plone.app.{flat}", f"Products.{_camel(noun)}", f"cs.{flat}"
    if framework == "Django":
        common = f"django-{noun}"
        special = f"drf-{noun}" if title in ("REST API", "GraphQL", "Rate limiting") else common
        return common, common, f"dj-{noun}", f"django_{snake}", f"{noun}-django", special
    if framework == "Flask":
        return f"flask-{noun}", f"Flask-{_camel(noun)}", f"flask_{snake}", f"{noun}-flask"
    return noun, noun, _camel(noun), f"{noun}-tools", f"python-{noun}"


def candidates(rng: random.Random, framework: str | None, nouns: tuple[str, ...], title: str) -> Iterator[str]:
    """Names for a project about `title` that goes by `nouns`, the plain ones first; it does not end.

    The caller takes the first that is free: names are unique by their PEP 503 form. A project without a framework
    always gets a compound, as single words are what real projects are called.
    """
    if framework:
        for noun in rng.sample(nouns, len(nouns)):
            yield rng.choice(_styles(framework, noun, title))
    plain = [noun if framework else noun.removesuffix("-py").removesuffix("-kit") for noun in nouns]
    while True:
        noun, brand = rng.choice(plain), rng.choice(BRANDS)
        compound = f"{brand}-{noun}" if rng.random() < 0.7 else f"{noun}-{brand}"
        yield rng.choice(_styles(framework, compound, title))
        yield rng.choice(_styles(framework, f"{compound}-{rng.choice(BRANDS)}", title))
