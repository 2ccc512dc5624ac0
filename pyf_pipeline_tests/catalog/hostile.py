"""READMEs that mean harm, and a look at HTML that does not share code with what made it."""

from html.parser import HTMLParser

FRAGMENTS = [
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>", "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>1</script></svg>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))",
    "![x](javascript:alert(1))", "<a href='java\tscript:alert(1)'>x</a>", "<a href='&#106;avascript:alert(1)'>x</a>",
    "<iframe src=//evil.example></iframe>", "<style>body{display:none}</style>", "<p style='position:fixed'>x</p>",
    "<a href=data:text/html,<script>1</script>>x</a>", "<form action=//evil.example><input name=q autofocus></form>",
    "<details open ontoggle=alert(1)>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<!--><script>alert(1)</script-->",
    "`x <javascript:alert(1)>`_", ".. raw:: html\n\n   <script>alert(1)</script>\n", ".. include:: /etc/passwd\n",
    ".. image:: javascript:alert(1)\n", ".. image:: /dev/zero\n   :loading: embed\n",
    ".. csv-table::\n   :file: /etc/passwd\n", ".. |d| date:: %s\n\n|d|\n",
    ".. role:: raw-html(raw)\n   :format: html\n", ":raw-html:`<script>alert(1)</script>`",
    "<meta http-equiv=refresh content=0>", "<base href=//evil.example>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>", "<scr<script>ipt>alert(1)</script>", "<h1 onclick=alert(1)>T</h1>",
    "```html\n<script>alert(1)</script>\n```", "    <script>alert(1)</script>", "<a name=x id=y class=z target=_top>",
    "<b>" * 30, "<div>" * 30, "> " * 40, "* " * 40, "[" * 40, "`" * 7, "\\" * 9, "&lt;script&gt;", "=" * 9, "\n\n",
    "Title\n=====\n", "# Title\n", "Changelog\n---------\n", "- item\n", "|a|b|\n|-|-|\n|c|d|\n", "\ud800", "ünï",
]  # fmt: skip

_FORBIDDEN = {"script", "style", "iframe", "object", "embed", "form", "svg", "math", "base", "meta", "link"}


class Inspection(HTMLParser):
    """What is wrong about an HTML text, its headings and its words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _FORBIDDEN:
            self.problems.append(f"<{tag}>")
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.problems.append(f"{tag} {name}")
            scheme, colon, _ = (value or "").partition(":")
            plain = "".join(scheme.split()).lower()
            if name in {"href", "src", "action"} and colon and plain.isalpha():
                self.problems += [] if plain in {"http", "https", "mailto"} else [f"{tag} {name}={value}"]
        self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data
