import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.model import FileKind
from gatecli.syntax.kinds import kind_of, why_not_parsed

KINDS = {
    FileKind.PYTHON: [
        "shop/pricing.py",
        "setup.py",
        "SHOP/PRICING.PY",
        "win/start.pyw",
        ".py",
        "requirements/build.py",
    ],
    FileKind.STUB: ["shop/pricing.pyi"],
    FileKind.NOTEBOOK: ["notebooks/churn.ipynb"],
    FileKind.CYTHON: ["fast/_core.pyx", "fast/_core.pxd", "fast/_core.pxi", "fast/_core.pyx.in"],
    FileKind.TEMPLATE: ["shop/templates/shop/cart.html", "mail/hello.j2", "a.mako", "shop/templates/mail/subject.txt"],
    FileKind.SQL: ["migrations/0001_init.sql", "DUMP.SQL", "etl/report.psql"],
    FileKind.DEPENDENCIES: [
        *("requirements.txt", "requirements-dev.txt", "requirements/base.in", "constraints.txt", "pyproject.toml"),
        *("setup.cfg", "Pipfile", "environment.yml", "web/package.json", "go.mod", "Cargo.toml", "pom.xml"),
    ],
    FileKind.LOCK: [
        *("poetry.lock", "uv.lock", "Pipfile.lock", "web/package-lock.json", "yarn.lock", "pnpm-lock.yaml", "go.sum"),
        *("pylock.toml", ".terraform.lock.hcl", "flake.lock"),
    ],
    FileKind.CONTAINER: [
        *("Dockerfile", "deploy/Dockerfile.worker", "worker.dockerfile", "docker-compose.yml", "compose.yaml"),
        *("docker-compose.override.yml", ".dockerignore", "Containerfile"),
    ],
    FileKind.WORKFLOW: [
        *(
            ".github/workflows/ci.yml",
            ".github/actions/setup/action.yml",
            "action.yml",
            ".gitlab-ci.yml",
            "Jenkinsfile",
        ),
        *(".circleci/config.yml", "azure-pipelines.yml", ".pre-commit-config.yaml"),
    ],
    FileKind.INFRASTRUCTURE: [
        *("infra/main.tf", "prod.tfvars", "charts/shop/values.yaml", "charts/shop/templates/_helpers.tpl"),
        *("deploy/templates/service.yaml", "Chart.yaml", "k8s/shop.yaml", "base/kustomization.yaml", "serverless.yml"),
    ],
    FileKind.ENVIRONMENT: [".env", ".env.production", "deploy/prod.env", ".envrc"],
    FileKind.CONFIGURATION: [
        "config/app.yaml",
        "a.toml",
        "a.json",
        "logging.ini",
        "nginx.conf",
        ".gitignore",
        "CODEOWNERS",
    ],
    FileKind.BUILD: ["Makefile", "CMakeLists.txt", "rules.bzl", "MANIFEST.in", "tox.ini", "shell.nix"],
    FileKind.SHELL: ["bin/deploy.sh", "a.zsh"],
    FileKind.GO: ["cmd/main.go"],
    FileKind.RUST: ["src/lib.rs"],
    FileKind.C: ["fast/_core.c", "fast/_core.h"],
    FileKind.CPP: ["a.cc", "a.hpp"],
    FileKind.JAVA: ["src/Main.java"],
    FileKind.KOTLIN: ["Main.kt"],
    FileKind.CSHARP: ["Main.cs"],
    FileKind.JAVASCRIPT: ["web/app.js", "web/App.jsx", "web/App.vue"],
    FileKind.TYPESCRIPT: ["web/app.ts", "web/App.tsx"],
    FileKind.RUBY: ["a.rb"],
    FileKind.PHP: ["index.php"],
    FileKind.HTML: ["public/index.html"],
    FileKind.CSS: ["public/site.scss"],
    FileKind.PROTOBUF: ["api/orders.proto"],
    FileKind.GRAPHQL: ["api/schema.graphql"],
    FileKind.DOCUMENTATION: ["README", "README.md", "docs/guide.rst", "LICENSE", "notes.txt", "docs/template.md"],
    FileKind.DATA: ["data/prices.csv", "model.pkl", "shop/fixtures/orders.json", "locale/de/django.po"],
    FileKind.IMAGE: ["logo.png", "icon.SVG"],
    FileKind.BINARY: ["lib/fast.so", "dist/shop-1.0-py3-none-any.whl", "fonts/a.woff2"],
    FileKind.GENERATED: [
        "api/orders_pb2.py",
        "api/orders_pb2.pyi",
        "shop/_version.py",
        "web/app.min.js",
        "web/app.js.map",
    ],
    FileKind.VENDORED: ["vendor/requests/api.py", "web/node_modules/left-pad/index.js", "pip/_vendor/six.py"],
    # Names that only look like something, and names that were made to confuse.
    FileKind.OTHER: [
        *(
            "",
            "/",
            ".",
            "..",
            "noextension",
            "a.",
            "py",
            "a.py ",
            "a.py\n",
            "a.py\x00",
            "a\u202eyp.b",
            "requirements.txt~",
        ),
        *(
            "Dockerfile/x",
            "*",
            "[a-z]",
            "!",
            "#",
            "-",
            "a.py/",
            "a.p\u0443",
            "folder.py/file",
            "a.weird",
            "\udcff\udcfe",
        ),
    ],
}


@pytest.mark.parametrize(("path", "kind"), [(path, kind) for kind, paths in KINDS.items() for path in paths])
def test_kind_of_a_path(path, kind):
    assert kind_of(path) is kind


@given(st.text())
def test_every_path_has_a_kind(path):
    assert kind_of(path) in FileKind


@given(st.lists(st.sampled_from(["a", "templates/", "charts/", "*", "[", ".py", ".", "\n", "requirements", "_pb2"])))
def test_a_folder_that_is_put_around_a_file_never_makes_it_unknown(parts):
    path = "".join(parts)
    if kind_of(path) is not FileKind.OTHER and not path.startswith("/"):
        assert kind_of(f"deep/{path}") is not FileKind.OTHER


def test_long_hostile_paths_take_no_time():
    for part in ("templates/", "charts/", "requirements", "_pb2", "a/", "."):
        assert kind_of(part * 4000) in FileKind


def test_only_files_that_can_hold_code_say_why_they_are_not_parsed():
    said = {kind: why for kind in FileKind if (why := why_not_parsed(kind))}
    assert said == {FileKind.CYTHON: "Cython is not parsed", FileKind.TEMPLATE: "templates are not parsed"}
