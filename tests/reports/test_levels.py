from dataclasses import replace

import pytest

from gatecli.model import Case, FileChange, FileKind, FileStatus, FileType, ParsedFile, ParseStatus, Report
from gatecli.reports import html, levels, markdown
from gatecli.reports.levels import Levels, Whole
from gatecli.syntax.match import changed_functions
from tests.reports import sample
from tests.reports.payloads import PAYLOADS


def case(*files: FileChange) -> Case:
    change = sample.change(files)
    return replace(sample.unprofiled().case, change=change, parsed=tuple(map(_read, files)))


def _read(file: FileChange) -> ParsedFile:
    if file.binary or file.type is not FileType.REGULAR:
        return replace(sample.parsed(file.path)[0], status=ParseStatus.NOT_PARSED)
    return sample.parsed(file.path)[0]


def whole(path: str, **more: object) -> FileChange:
    return FileChange(path=path, old_path=path, status=FileStatus.MODIFIED, **more)


MIXED = case(
    sample.edited("shop/pricing.py", 200, 14),
    sample.edited("config/app.yaml", 25, 3),
    sample.edited("config/db.toml", 10, 2),
    sample.edited("uv.lock", 4, 2),
    sample.edited("db/0001.sql", 0, 5),
    sample.edited("web/app.ts", 1, 0),
    whole("logo.png", binary=True),
    whole("icon.png", binary=True),
    whole("themes", type=FileType.SUBMODULE),
)


def test_lines_are_counted_by_how_closely_they_were_judged():
    assert levels.levels(MIXED) == Levels(
        lines=266,
        by_function=214,
        whole=(
            Whole(kind=FileKind.CONFIGURATION, files=2, lines=40),
            Whole(kind=FileKind.LOCK, files=1, lines=6),
            Whole(kind=FileKind.SQL, files=1, lines=5),
            Whole(kind=FileKind.TYPESCRIPT, files=1, lines=1),
        ),
        unread=((FileKind.IMAGE, 2), (FileKind.OTHER, 1)),
    )


def test_the_line_of_a_report_names_the_largest_kinds():
    assert levels.phrases(levels.levels(MIXED)) == (
        "214 of 266 changed lines function by function",
        "40 in 2 configuration files, 6 in 1 lock file, 5 in 1 SQL file and 1 in 1 file more, each as a whole",
        "not read: 2 images and 1 other file",
    )


@pytest.mark.parametrize(
    "files",
    [
        (),
        (sample.edited("shop/pricing.py", 3, 1),),
        (sample.edited("shop/pricing.py", 3, 1), whole("run.sh", old_mode="100644", new_mode="100755")),
        (whole("empty.md", old_mode="100644", new_mode="100755"),),
    ],
)
def test_nothing_is_said_where_nothing_was_judged_as_a_whole(files):
    assert levels.phrases(levels.levels(case(*files))) == ()


def test_lines_that_do_not_parse_are_not_judged_by_function():
    file = sample.edited("shop/pricing.py", 4, 0)  # lines 10 to 13
    parsed = replace(sample.parsed(file.path)[0], status=ParseStatus.PARTIAL, error_lines=(9, 12, 13, 14))
    broken = replace(case(file), parsed=(parsed,))
    assert levels.levels(broken).by_function == 2
    assert levels.by_kind(broken) == (("shop/pricing.py", "python, +4 −0, function by function but for 2 lines"),)


def test_every_file_is_listed_with_its_kind():
    assert levels.by_kind(MIXED) == (
        ("config/app.yaml", "configuration, +25 −3, as a whole"),
        ("config/db.toml", "configuration, +10 −2, as a whole"),
        ("icon.png", "image, not read"),
        ("logo.png", "image, not read"),
        ("uv.lock", "lock, +4 −2, as a whole"),
        ("themes", "other, submodule, not read"),
        ("shop/pricing.py", "python, +200 −14, function by function"),
        ("db/0001.sql", "sql, +0 −5, as a whole"),
        ("web/app.ts", "typescript, +1 −0, as a whole"),
    )


def test_what_was_really_read_says_why():
    file = replace(sample.edited("fast/core.pyx", 1, 0), before=b"", after=b"cdef int x\n")
    _, parsed = changed_functions([file])
    read = replace(case(file), parsed=parsed)
    assert levels.by_kind(read) == (("fast/core.pyx", "cython, +1 −0, as a whole, Cython is not parsed"),)


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_has_a_name(kind):
    assert levels.named(kind, 1).startswith("1 ")
    assert levels.named(kind, 2) == f"2 {levels.named(kind, 1)[2:]}s"


# --------------------------------------------------------------------------- in the reports


def _report() -> Report:
    return replace(sample.unprofiled(), case=MIXED)


def test_a_comment_folds_the_files_away():
    written = markdown.render(_report())
    assert "<details><summary>Judged: 214 of 266 changed lines function by function</summary>" in written
    assert "- not read: 2 images and 1 other file\n" in written
    assert "- `config/app.yaml`: configuration, +25 −3, as a whole\n" in written


def test_a_page_lists_the_files():
    written = html.render(_report())
    assert '<a href="#files">Files</a>' in written
    assert "214 of 266 changed lines function by function; 40 in 2 configuration files" in written
    assert "configuration, +25 −3, as a whole" in written


def test_reports_are_silent_where_all_went_by_function():
    report = replace(sample.unprofiled(), case=case(sample.edited("shop/pricing.py", 3, 1)))
    assert "Judged: " not in markdown.render(report)
    assert 'id="files"' not in html.render(report)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_paths_are_inert(payload: str):
    report = replace(sample.unprofiled(), case=case(sample.edited(payload, 3, 1)))
    assert levels.phrases(levels.levels(report.case))[0] == "0 of 4 changed lines function by function"
    assert "<script>alert" not in html.render(report) + markdown.render(report)
