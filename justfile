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

# How soon each named flaw is caught, blind and guided
flaws *names:
    cargo bench -p replisim-benches --bench flaws -- {{names}}

# What CI runs
ci:
    bash .ci/run
