#!/bin/bash
# SPDX-License-Identifier: MIT
# What the package tests share. Each fact that a script proves is a line of its output; it ends with 1 if one failed.

failures=0
trap '[ "$failures" = 0 ] || exit 1' EXIT

cannot() { # REASON: ctest takes 77 for "skipped"
    printf 'cannot be tested here: %s\n' "$1" >&2
    [ "${CI:-}" != true ] || { printf 'that is a failure, because CI=true\n' >&2 && exit 1; }
    exit 77
}

needs() { # FILE…: root, and these programs and files
    local need
    [ "$EUID" = 0 ] || cannot "it installs packages into a directory of its own, which takes root"
    for need in "$@"; do
        [ -e "$need" ] || command -v "$need" >/dev/null || cannot "$need is missing (packaging/install-needs packages)"
    done
}

proves() { # SENTENCE COMMAND…
    local sentence=$1 output
    shift
    if output=$("$@" 2>&1); then
        printf 'ok    %s\n' "$sentence"
    else
        printf 'FAILED %s\n%s\n' "$sentence" "$output"
        failures=$((failures + 1))
    fi
}

same() { diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$2"); } # EXPECTED ACTUAL
nothing() { [ -z "$("$@" | tee /dev/stderr)" ]; }               # COMMAND…: it prints nothing
