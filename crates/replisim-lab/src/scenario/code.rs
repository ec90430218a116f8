//! The codes of mistakes. A code never changes its meaning; `replisim explain S014` prints its paragraph.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $title:literal])+ $name:ident = $text:literal: $explanation:literal)*) => {
        /// What kind of mistake it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $($(#[doc = $title])+ $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// As printed: `S014`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)*
                }
            }

            /// The mistake in a few words, as a heading.
            pub fn title(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($title),+).trim_start(),)*
                }
            }

            /// What the mistake is, why it is one, and what to do.
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Code::$name => $explanation,)*
                }
            }
        }
    };
}

codes! {
    // ── the file ──

    /// The file cannot be read.
    Unreadable = "S001": "\
The file that should hold a scenario does not exist, is a folder, or may not be read. A scenario can be given as a \
file, as a folder (every scenario below it is meant), or by its bare name, which is looked up below `scenarios/`. \
`replisim list` names the scenarios there are; `replisim new` writes one to start from."

    /// The file is too large.
    TooLarge = "S002": "\
A scenario is at most 1 MiB. The longest useful one is a few pages, so a larger file is almost always the wrong file: a \
log, a trace, a disk image. It is refused before it is read."

    /// The file is not UTF-8 text.
    NotText = "S003": "\
Scenarios are UTF-8 text. The diagnostic names the first byte that is not. Files in Latin-1 or UTF-16 must be converted \
(`iconv -f latin1 -t utf8`); a binary file is the wrong file."

    /// The file is empty.
    Empty = "S004": "\
The file holds nothing but white space and comments. The shortest scenario names a cluster and a protocol: \
`Scenario(cluster: (size: 3), protocol: PostgreSql())`. `replisim new` writes one with every field explained."

    // ── the notation ──

    /// The text is not RON.
    Syntax = "S005": "\
Scenarios are written in RON, Rusty Object Notation. Fields stand in parentheses, `(name: value, …)`; lists in square \
brackets, `[a, b]`; maps in braces, `{ key: value }`; texts in double quotes. Commas separate, and one may follow the \
last element. Comments begin with `//`. The diagnostic marks where reading stopped; the mistake is there or just before \
it: a missing comma, a bracket that was never closed, a quote left open."

    /// There is no such field.
    UnknownField = "S006": "\
A field was given that the value does not have. Nothing is ever ignored in a scenario: a misspelled field would leave \
its default in force without a word. The diagnostic lists the fields there are."

    /// A field is missing.
    MissingField = "S007": "\
A field without a default was left out. A scenario needs `cluster` and `protocol`; everything else has a default. A \
protocol's settings may need more, such as which host is the primary."

    /// A field or key is given twice.
    Repeated = "S008": "\
The same field, or the same key of a map, was given twice. Only one of the two could be meant, so neither is guessed."

    /// There is no such name.
    UnknownName = "S009": "\
Where one of several names is expected, such as a fault's action, a routing policy, a check or a distribution, another \
one stands. The diagnostic lists the names there are, and the nearest one. So it is where a file holds no scenario but a \
case, which `replisim replay` runs, or a plan, which `replisim fuzz shard` does."

    /// A value of another kind is expected.
    WrongType = "S010": "\
The value is of another kind than the field wants, or its text cannot be read. Lengths of time are texts with a unit, \
\"150ms\"; so are sizes, \"16MB\", rates, \"1Gbit/s\", probabilities, \"3%\", and signed offsets, \"-2s\". Whole numbers \
stand bare, and texts in double quotes."

    /// Values are nested too deep.
    TooDeep = "S011": "\
Brackets are nested more than a hundred deep. No scenario needs that; an opening bracket is probably repeated."

    // ── names of things ──

    /// There is no such protocol.
    UnknownProtocol = "S012": "\
The scenario's `protocol` names one that is not in the catalog. `replisim list protocols` names those that are. A \
protocol of your own is there once your program has registered it with `Catalog::with`; it is known to that program \
alone, so a scenario or a case that names it is run by that, `my-program replay CASE`, and not by `replisim`."

    /// A fault has no such target.
    UnknownTarget = "S013": "\
A fault strikes something that does not exist. A target is the name of a process, host, zone (`us-east/a`) or region; \
several of these, `\"s1, s2\"`; or a part that somebody plays at that moment: `leader`, `followers`, `minority`, \
`majority`, `random 2`, `replicas`, `clients`, `most advanced`, `most behind`."

    /// There is no such host, zone or region.
    UnknownPlace = "S014": "\
A link, a clock, a group of clients, a routing policy or a protocol's setting names a host, zone or region that the \
cluster does not have. Hosts are the keys of `cluster.hosts`, or n1, n2, … for a cluster given by its size; zones are \
named with their region, `us-east/a`."

    // ── values ──

    /// There can be no such cluster.
    ImpossibleCluster = "S015": "\
A cluster is given either by its `size`, or by `regions` with their zones and `hosts` with their places. It has from 1 \
to 1000 hosts, every region has a zone, and every host a processor core. Clocks may gain or lose, but not stand still \
or run backwards."

    /// There can be no such length of time.
    ImpossibleTime = "S016": "\
A length of time is zero where something must take time, or is longer than anything that can be run. A run is longer \
than nothing and at most 30 days, and so is its quiet phase; intervals and timeouts are longer than nothing."

    /// There can be no such number.
    ImpossibleCount = "S017": "\
A number is out of range: no sessions or more than 100000 in all, no keys, an operation mix whose weights are all zero, \
a transaction of no operations, an operation that writes more than 1 GiB, a factor of zero."

    /// The value contradicts itself.
    Contradiction = "S018": "\
The parts of a value contradict each other. A distribution may have its `min` above its `max`, a 99th percentile below \
the median, weights that do not add up to 1, or a cumulative table that does not rise to 1; a fault may be between a node \
and itself. The message says which."

    /// The fault cannot happen then.
    ImpossibleMoment = "S019": "\
A fault ends before it begins, begins only after the run's end, recurs without end, or waits for the zeroth occurrence \
of something. All faults end when the run does; what begins later never happens."

    /// The protocol does not support the operation.
    Unsupported = "S020": "\
The clients ask for operations that the protocol does not have, such as a compare-and-set of a system that only reads \
and writes. The diagnostic lists those it has."

    /// The expectation can never be met.
    ImpossibleExpectation = "S021": "\
A verdict is expected of a check that is not made, because `checks` leaves it out. Without `checks`, all are made."

    /// The measure cannot be bounded so.
    ImpossibleMeasure = "S022": "\
A measure's bounds contradict each other, or there are none, or the stretch of the run it is taken over is empty."

    /// The protocol refuses its settings.
    RefusedSettings = "S023": "\
The settings are well-formed, but the protocol cannot be run with them on this cluster: they contradict each other, ask \
for more replicas than there are, or leave out something that another setting needs. Or a `Configure` changes one that the \
protocol does not have, or not while it runs, or to what it does not take. The message is the protocol's own."

    // ── edits ──

    /// The edit cannot be made.
    ImpossibleEdit = "S024": "\
`--set path=value` changes one value of a scenario before it is read. The path goes down from the scenario: \
`run=30s`, `cluster.links.loss=3%`, `clients[0].sessions=50`, `protocol.synchronous_commit=Local`, `faults[1].At[0]=2s`. \
A field that has been left to its default is put in. Elements of a list must exist, except for one right after the last. \
Texts need no quotes."

    /// A knob cannot be turned.
    Knob = "S025": "\
A swarm's knobs are settings of the scenario, each with the values that it may take: `knobs: { \"cluster.size\": [\"3\", \
\"5\"], \"protocol.synchronous_commit\": [\"On\", \"RemoteApply\"] }`. Paths and values are written as after `--set`. Each \
value must give a scenario that can be run while all other knobs are left alone; this one does not."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order_and_explained() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.as_str(), format!("S{:03}", index + 1));
            assert!(code.explain().len() > 80 && code.explain().ends_with('.'), "{code}");
            assert!(code.title().ends_with('.'), "{code}: {}", code.title());
        }
    }
}
