"""The terminal report as an SVG picture, for a README or a chat: rich draws it, no font comes from the network."""

from io import StringIO

from gatecli.model import Report
from gatecli.reports import summary, terminal
from gatecli.reports.text import guard, markup

WIDTH = 100
"""Columns of the pictured terminal."""

_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

# rich's own template loads its font from a content network; the names in braces are what rich fills in.
_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" role="img" aria-labelledby="gate-title">
<title id="gate-title">{title}</title>
<style>
.{{unique_id}}-matrix {{{{ font-family: {font}; font-size: {{char_height}}px; }}}}
.{{unique_id}}-title {{{{ font-family: {font}; font-size: 16px; }}}}
{{styles}}
</style>
<defs>
<clipPath id="{{unique_id}}-clip-terminal">
<rect x="0" y="0" width="{{terminal_width}}" height="{{terminal_height}}"/>
</clipPath>
{{lines}}
</defs>
{{chrome}}
<g transform="translate({{terminal_x}}, {{terminal_y}})" clip-path="url(#{{unique_id}}-clip-terminal)">
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</g>
</svg>
"""


def render(report: Report) -> str:
    """The report as it looks at a dark terminal of ``WIDTH`` columns, as one SVG document."""
    from rich.console import Console

    console = Console(
        file=StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    terminal.render(report, console)
    said = f"gate: {summary.word(report)} · {', '.join(summary.headline(report))}"
    title = markup(said, 300).replace("{", "{{").replace("}", "}}")
    return guard(
        console.export_svg(
            title="gate check", code_format=_TEMPLATE.format(title=title, font=_FONT), unique_id="gate", clear=True
        )
    )
