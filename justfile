# Everything a person or CI does here, one line each.

# Run one scenario: `just run stale_read_after_write`
run scenario *args:
    cargo run --release -- run {{scenario}} {{args}}

# The whole test suite
test:
    cargo test --release --workspace

# Format, lints and docs, as CI wants them
lint:
    cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Every scenario twice, in debug and in release: the same bytes each time
determinism:
    bash .ci/determinism

# Accept what the snapshots of histories now say, after looking at it
accept:
    INSTA_UPDATE=always cargo test --release --workspace

# The benches, the world beside a loop written by hand
bench *filter:
    cargo bench -p replisim-benches -- {{filter}}

# Fuzz a protocol or a scenario: `just fuzz PostgreSql --for 60s`
fuzz subject *args:
    cargo run --release -- fuzz {{subject}} {{args}}

# `campaign` reads a profile with the llvm-profdata of `rustup component add llvm-tools`, or with the one that LLVM_PROFDATA names.
# The program for campaigns of hours, at target/campaign/replisim: built with what it does in a short one in mind
campaign:
    #!/usr/bin/env bash
    set -euo pipefail
    profdata="${LLVM_PROFDATA:-$(rustc --print target-libdir)/../bin/llvm-profdata}"
    "$profdata" --version > /dev/null
    observed="$PWD/target/observed"
    rm -rf "$observed/counts"
    RUSTFLAGS="-Cprofile-generate=$observed/counts" cargo build --profile campaign -p replisim --target-dir "$observed"
    "$observed/campaign/replisim" fuzz scenarios --runs 1000 --jobs 1 --no-store > /dev/null
    "$observed/campaign/replisim" fuzz LeaderFollower PostgreSql MySql --runs 6000 --jobs 1 --store "$observed/counts/it.db" > /dev/null
    "$profdata" merge --output "$observed/counts.profdata" "$observed"/counts/*.profraw
    RUSTFLAGS="-Cprofile-use=$observed/counts.profdata" cargo build --profile campaign -p replisim --target-dir target

# How soon each named flaw is caught, blind and guided
flaws *names:
    cargo bench -p replisim-benches --bench flaws -- {{names}}

# What CI runs
ci:
    bash .ci/run
