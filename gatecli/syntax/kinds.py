"""What a file is for, from its path alone: a file that gate does not parse is still named by its kind.

Nothing is decided here that lowers a risk: whoever writes the change also chooses its paths.
"""

import re
from fnmatch import translate

from gatecli.model import FileKind

# Shell patterns over the whole path in lower case, with a "/" before it; "*" also matches "/". The first one wins, so
# what says more of a file stands above: where it lies and what it is called, before what its name ends with.
_PLACES: tuple[tuple[FileKind, tuple[str, ...]], ...] = (
    (
        FileKind.VENDORED,
        (
            *(
                "*/vendor/*",
                "*/vendored/*",
                "*/_vendor/*",
                "*/third_party/*",
                "*/node_modules/*",
                "*/bower_components/*",
            ),
            *("*/site-packages/*", "*/.yarn/releases/*"),
        ),
    ),
    (
        FileKind.LOCK,
        (
            *("*/poetry.lock", "*/pdm.lock", "*/uv.lock", "*/pylock.toml", "*/pylock.*.toml", "*/pipfile.lock"),
            *("*/package-lock.json", "*/npm-shrinkwrap.json", "*/pnpm-lock.yaml", "*/yarn.lock", "*/bun.lock"),
            *("*/conda-lock.yml", "*/go.sum", "*/gradle.lockfile", "*/.terraform.lock.hcl", "*/*.lock", "*/*.lockb"),
        ),
    ),
    (
        FileKind.GENERATED,
        (
            *("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi", "*.pb.go", "*/_version.py", "*.min.js"),
            *("*.min.css", "*.js.map", "*.css.map", "*.generated.*", "*_generated.*", "*/__generated__/*", "*.snap"),
        ),
    ),
    (FileKind.NOTEBOOK, ("*.ipynb",)),
    (FileKind.STUB, ("*.pyi",)),
    (FileKind.PYTHON, ("*.py", "*.pyw")),
    (FileKind.CYTHON, ("*.pyx", "*.pxd", "*.pxi", "*.pyx.in", "*.pxd.in", "*.pxi.in")),
    (
        FileKind.INFRASTRUCTURE,
        (
            *("*.tf", "*.tfvars", "*.tf.json", "*.tofu", "*/terragrunt.hcl", "*.bicep", "*/chart.yaml", "*/chart.yml"),
            *(
                "*/charts/*.y*ml",
                "*/charts/*.tpl",
                "*/helm/*.y*ml",
                "*/helm/*.tpl",
                "*/helmfile.y*ml",
                "*/templates/*.tpl",
            ),
            *("*/templates/*.yaml", "*/templates/*.yml", "*/kustomization.y*ml", "*/k8s/*.y*ml", "*/kubernetes/*.y*ml"),
            *("*/ansible/*.y*ml", "*/playbooks/*.y*ml", "*/cloudformation/*", "*/serverless.y*ml", "*/pulumi*.y*ml"),
        ),
    ),
    (
        FileKind.TEMPLATE,
        (
            *("*.j2", "*.jinja", "*.jinja2", "*.mako", "*.mak", "*.djhtml", "*.tmpl", "*.tpl", "*.mustache", "*.hbs"),
            *("*/templates/*.html", "*/templates/*.htm", "*/templates/*.txt", "*/templates/*.xml", "*/jinja2/*.html"),
        ),
    ),
    (
        FileKind.DEPENDENCIES,
        (
            *("*/requirements*.txt", "*/requirements*.in", "*/requirements/*.txt", "*/requirements/*.in"),
            *("*/constraints*.txt", "*/pyproject.toml", "*/setup.cfg", "*/pipfile", "*/environment.y*ml"),
            *("*/package.json", "*/pnpm-workspace.yaml", "*/go.mod", "*/go.work", "*/cargo.toml", "*/gemfile"),
            *("*/composer.json", "*/pom.xml", "*/build.gradle", "*/build.gradle.kts", "*.gemspec", "*.csproj"),
        ),
    ),
    (
        FileKind.CONTAINER,
        (
            *(
                "*/dockerfile",
                "*/dockerfile.*",
                "*.dockerfile",
                "*/containerfile",
                "*/containerfile.*",
                "*/.dockerignore",
            ),
            *("*/docker-compose*.y*ml", "*/compose.y*ml", "*/compose.*.y*ml", "*/docker-bake.hcl", "*/procfile"),
        ),
    ),
    (
        FileKind.WORKFLOW,
        (
            *("*/.github/workflows/*.y*ml", "*/.github/actions/*.y*ml", "/action.y*ml", "*/.gitlab-ci*.y*ml"),
            *("*/.gitlab/ci/*.y*ml", "*/.circleci/*", "*/azure-pipelines*.y*ml", "*/bitbucket-pipelines.y*ml"),
            *(
                "*/jenkinsfile",
                "*/jenkinsfile.*",
                "*/.travis.y*ml",
                "*/.buildkite/*",
                "*/.drone.y*ml",
                "*/.woodpecker/*",
            ),
            *("*/.pre-commit-config.y*ml", "*/.pre-commit-hooks.y*ml", "*/appveyor.y*ml", "*/cloudbuild.y*ml"),
        ),
    ),
    (FileKind.ENVIRONMENT, ("*/.env", "*/.env.*", "*.env", "*/.envrc", "*/.flaskenv")),
    (
        FileKind.BUILD,
        (
            *("*/makefile", "*/makefile.*", "*/gnumakefile", "*.mk", "*/cmakelists.txt", "*.cmake", "*/meson.build"),
            *("*/justfile", "*/rakefile", "*/build", "*/build.bazel", "*/workspace.bazel", "*.bzl", "*.nix"),
            *("*/manifest.in", "*/tox.ini", "*/taskfile.y*ml"),
        ),
    ),
    (
        FileKind.DOCUMENTATION,
        (
            *("*/readme", "*/license", "*/licence", "*/copying", "*/notice", "*/authors", "*/changelog", "*/changes"),
            *("*/contributing", "*/robots.txt"),
        ),
    ),
    (
        FileKind.CONFIGURATION,
        (
            *("*/.gitignore", "*/.gitattributes", "*/.gitmodules", "*/.editorconfig", "*/.coveragerc", "*/.pylintrc"),
            *("*/.npmrc", "*/.mailmap", "*/codeowners", "*/.flake8", "*/pylintrc", "*/.dir-locals.el"),
        ),
    ),
    (FileKind.DATA, ("*/fixtures/*.json", "*/fixtures/*.y*ml", "*/fixtures/*.xml")),
)

_ENDINGS: tuple[tuple[FileKind, str], ...] = (
    (FileKind.SQL, "sql ddl dml psql plsql pgsql hql"),
    (
        FileKind.CONFIGURATION,
        "yaml yml toml json json5 jsonc ini cfg conf cnf config properties xml plist hcl rc service",
    ),
    (FileKind.SHELL, "sh bash zsh fish ksh bats"),
    (FileKind.POWERSHELL, "ps1 psm1 psd1 bat cmd"),
    (FileKind.GO, "go"),
    (FileKind.RUST, "rs"),
    (FileKind.C, "c h"),
    (FileKind.CPP, "cc cpp cxx c++ hh hpp hxx cu cuh"),
    (FileKind.JAVA, "java"),
    (FileKind.KOTLIN, "kt kts"),
    (FileKind.SCALA, "scala sc sbt"),
    (FileKind.CSHARP, "cs"),
    (FileKind.SWIFT, "swift"),
    (FileKind.DART, "dart"),
    (FileKind.JAVASCRIPT, "js jsx mjs cjs vue svelte"),
    (FileKind.TYPESCRIPT, "ts tsx mts cts"),
    (FileKind.RUBY, "rb rake"),
    (FileKind.PHP, "php phtml"),
    (FileKind.PERL, "pl pm"),
    (FileKind.LUA, "lua"),
    (FileKind.ELIXIR, "ex exs heex"),
    (FileKind.R, "r rmd"),
    (FileKind.HTML, "html htm xhtml"),
    (FileKind.CSS, "css scss sass less"),
    (FileKind.PROTOBUF, "proto"),
    (FileKind.GRAPHQL, "graphql gql graphqls"),
    (FileKind.DOCUMENTATION, "md mdx rst txt adoc asciidoc tex org rtf"),
    (FileKind.DATA, "csv tsv jsonl ndjson geojson parquet avro arrow feather pkl pickle npy npz h5 hdf5 db sqlite"),
    (FileKind.DATA, "sqlite3 po pot pem crt cer key pub asc sig"),
    (FileKind.IMAGE, "png jpg jpeg gif webp avif bmp ico icns svg tif tiff psd"),
    (
        FileKind.BINARY,
        "so dll dylib exe bin o a obj lib pyd pyc pyo class jar war whl egg wasm zip gz tgz bz2 xz zst tar 7z",
    ),
    (
        FileKind.BINARY,
        "rar pdf doc docx xls xlsx ppt pptx odt ttf otf woff woff2 eot mp3 mp4 wav ogg webm mov iso dmg mo",
    ),
)

_PATTERNS = tuple((kind, re.compile("|".join(map(translate, patterns)))) for kind, patterns in _PLACES)
_BY_ENDING = {ending: kind for kind, endings in _ENDINGS for ending in endings.split()}

_NOT_PARSED = {FileKind.CYTHON: "Cython is not parsed", FileKind.TEMPLATE: "templates are not parsed"}


def kind_of(path: str) -> FileKind:
    """The kind of a ``/``-separated path relative to the root of the repository."""
    lower = path.lower()
    for kind, pattern in _PATTERNS:
        if pattern.match(f"/{lower}"):
            return kind
    name = lower.rpartition("/")[2]
    return _BY_ENDING.get(name.rpartition(".")[2], FileKind.OTHER) if "." in name else FileKind.OTHER


def why_not_parsed(kind: FileKind) -> str | None:
    """Why a file that can hold code that Python runs is judged as a whole; None where there is nothing to say."""
    return _NOT_PARSED.get(kind)
