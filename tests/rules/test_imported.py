"""Names as they were imported, spelled out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.rules.imported import spelled_out
from gatecli.syntax.python import read_module


def _spelled(source: str) -> str:
    return spelled_out(read_module("shop/pay.py", source.encode())).source.decode()


@pytest.mark.parametrize(
    ("source", "last"),
    [
        ("from time import sleep\nsleep(1)\n", "time.sleep(1)"),
        ("from time import sleep as rest\nrest(1)\n", "time.sleep(1)"),
        ("import requests as r\nr.get(url)\n", "requests.get(url)"),
        ("from os import environ\nsend(environ)\n", "send(os.environ)"),
        ("from urllib import request\nrequest.urlopen(url)\n", "urllib.request.urlopen(url)"),
        ("import subprocess as sp\nsp.run(sp.PIPE, sp=1)\n", "subprocess.run(subprocess.PIPE, sp=1)"),
        ("def f():\n    from time import sleep\n    sleep(1)\n", "    time.sleep(1)"),
        ("from time import sleep\nlock.sleep(sleep)\n", "lock.sleep(time.sleep)"),
    ],
)
def test_a_name_reads_as_what_it_was_imported_as(source: str, last: str) -> None:
    assert _spelled(source).splitlines()[-1] == last


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)\n",
        "from shop.time import sleep\nsleep(1)\n",
        "from .time import sleep\nsleep(1)\n",
        "from timeit import sleep\nsleep(1)\n",
        "from time import sleep\ndef f(sleep):\n    sleep(1)\n",
        "from time import sleep\ndef f(*, sleep=None):\n    sleep(1)\n",
        "from time import sleep\nsleep = print\nsleep(1)\n",
        "from time import sleep\nfor sleep in naps: sleep(1)\n",
        "from time import sleep\nwith nap() as sleep: sleep(1)\n",
        "from time import sleep\ndef sleep(s): pass\nsleep(1)\n",
        "from time import sleep\n[sleep(1) for sleep in naps]\n",
        "from time import sleep\nif (sleep := nap): sleep(1)\n",
        "try:\n    from time import sleep\nexcept ImportError:\n    from shop import sleep\nsleep(1)\n",
        "from time import *\nsleep(1)\n",
        "from requests.packages.urllib3.util.retry import Retry\nRetry(3)\n",
    ],
)
def test_what_may_mean_something_else_stays(source: str) -> None:
    assert _spelled(source) == source


def test_lines_and_functions_stay_what_they_are() -> None:
    source = "from time import sleep\n\n@sleep\ndef f(a, b):\n    'été'; sleep(1); sleep(\n        2)\n"
    before = read_module("shop/pay.py", source.encode())
    after = spelled_out(before)
    assert [one.span for one in after.functions] == [one.span for one in before.functions]
    assert "'été'; time.sleep(1); time.sleep(\n        2)" in after.source.decode()


@given(st.text("from time import sleep as r:=()\n", max_size=200))
def test_any_text_keeps_its_lines(text: str) -> None:
    source = "from time import sleep\n" + text
    assert _spelled(source).count("\n") == source.count("\n")
