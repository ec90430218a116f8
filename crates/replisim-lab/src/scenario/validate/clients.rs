//! The clients: whether they can be where they are, and ask what they ask.

use std::collections::BTreeMap;

use replisim_history::OpKind;
use replisim_history::words::things;
use replisim_kernel::Span;
use replisim_world::spec::{Arrival, ClientGroup, Keys, Routing, ScriptedOp};

use super::{Code, Diagnostic, Known, Mistakes, Scenario, listed};
use crate::catalog::Configured;

/// The most sessions a scenario has.
const SESSIONS_MAX: u64 = 100_000;
/// The most application servers a scenario has.
pub(super) const SERVERS_MAX: u64 = 1_000;
/// The most keys a group touches.
const KEYS_MAX: u64 = 100_000_000;
/// The most operations a transaction has.
const TRANSACTION_MAX: u64 = 1_000;
/// The most bytes that the values of an operation have. With them, what anything weighs on the wire or in a log stays far
/// below the 4 GiB that its size is counted up to.
const WRITTEN_MAX: u64 = 1 << 30;

/// What is impossible about the clients.
pub(super) fn validate(
    scenario: &Scenario,
    known: &Known,
    protocol: Option<&dyn Configured>,
    mistakes: &mut Mistakes<'_>,
) {
    let total = |count: fn(&ClientGroup) -> u64| scenario.clients.iter().map(count).sum::<u64>();
    for (all, most, what) in [
        (total(|group| u64::from(group.sessions)), SESSIONS_MAX, "sessions"),
        (total(|group| u64::from(group.servers)), SERVERS_MAX, "application servers"),
    ] {
        mistakes.at_if(all > most, "clients", || {
            Diagnostic::new(Code::ImpossibleCount, format!("{all} {what} in all")).label(format!("at most {most}"))
        });
    }
    for (index, group) in scenario.clients.iter().enumerate() {
        let checker = Group { path: format!("clients[{index}]"), group, known, mistakes };
        checker.check(scenario.run, protocol);
    }
}

/// One group under examination.
struct Group<'g, 'm, 'o> {
    path: String,
    group: &'g ClientGroup,
    known: &'g Known,
    mistakes: &'m mut Mistakes<'o>,
}

impl Group<'_, '_, '_> {
    fn check(mut self, run: Span, protocol: Option<&dyn Configured>) {
        self.check_numbers();
        self.check_times(run);
        self.check_place();
        self.check_reads(&self.field("reads"), &self.group.reads);
        self.check_mix();
        self.check_script(run);
        if let Some(protocol) = protocol {
            self.check_supported(protocol);
        }
    }

    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn check_numbers(&mut self) {
        let group = self.group;
        let counts = [
            ("sessions", "the number of sessions", u64::from(group.sessions), SESSIONS_MAX),
            ("servers", "the number of application servers", u64::from(group.servers), SERVERS_MAX),
            ("transaction_size", "the size of a transaction", u64::from(group.transaction_size), TRANSACTION_MAX),
        ];
        for (field, what, count, most) in counts {
            self.mistakes.count(&self.field(field), what, count, 1..=most);
        }
        let (each, values) = (group.value_bytes, self.values_max());
        self.mistakes.at_if(u64::from(each) * values > WRITTEN_MAX, &self.field("value_bytes"), || {
            let written = format!("an operation writes up to {}", things(values, "value"));
            Diagnostic::new(Code::ImpossibleCount, format!("{written} of {each} bytes"))
                .label(format!("must be at most {} bytes", WRITTEN_MAX / values))
        });
        match group.keys {
            Keys::Uniform { count } | Keys::Zipf { count, .. } | Keys::PerSession { count } => {
                self.mistakes.count(&self.field("keys.count"), "the number of keys", count, 1..=KEYS_MAX);
            }
            Keys::Fresh => {}
        }
        if let Keys::Zipf { exponent, .. } = group.keys {
            self.mistakes.at_if(!(0.0..=100.0).contains(&exponent), &self.field("keys.exponent"), || {
                Diagnostic::new(Code::ImpossibleCount, format!("the skew of keys is {exponent}"))
                    .label("must be from 0 (uniform) to 100; 0.99 is usual")
            });
        }
    }

    /// How many values an operation writes at most.
    fn values_max(&self) -> u64 {
        let Self { group: ClientGroup { mix, script, transaction_size, .. }, .. } = self;
        let drawn =
            if mix.get(&OpKind::Txn).is_some_and(|weight| *weight > 0) { (*transaction_size).into() } else { 1 };
        let scripted = script.iter().flatten().map(|operation| operation.parts.len() as u64);
        scripted.max().unwrap_or(drawn).max(1)
    }

    fn check_times(&mut self, run: Span) {
        let group = self.group;
        match group.arrive {
            Arrival::Every(interval) | Arrival::Poisson(interval) => {
                self.mistakes.time(&self.field("arrive"), "the interval between operations", interval);
            }
            Arrival::Think(_) => {}
        }
        self.mistakes.time(&self.field("timeout"), "a client's timeout", group.timeout);
        self.mistakes.at_if(group.from >= run && !run.is_zero(), &self.field("from"), || {
            Diagnostic::new(Code::ImpossibleMoment, format!("the clients begin at {}, after the run", group.from))
                .label(format!("the run ends at {run}"))
        });
        self.mistakes.at_if(group.until.is_some_and(|until| until <= group.from), &self.field("until"), || {
            Diagnostic::new(Code::ImpossibleMoment, "the clients end before they begin")
                .label(format!("they begin at {}", group.from))
        });
    }

    fn check_place(&mut self) {
        let at = &self.group.at;
        let places: Vec<&str> = self.known.places().collect();
        if !at.is_empty() && !places.contains(&at.as_str()) {
            self.mistakes.unknown(Code::UnknownPlace, &self.field("at"), "place", at, &places);
        }
    }

    fn check_reads(&mut self, path: &str, reads: &Routing) {
        match reads {
            Routing::Host(host) => {
                let hosts: Vec<&str> = self.known.hosts.iter().map(String::as_str).collect();
                if !hosts.contains(&host.as_str()) {
                    self.mistakes.unknown(Code::UnknownPlace, path, "host", host, &hosts);
                }
            }
            Routing::Leader
            | Routing::Any
            | Routing::AnyFollower
            | Routing::Nearest
            | Routing::Sticky
            | Routing::Pin { .. }
            | Routing::Token { .. } => {}
        }
    }

    fn check_mix(&mut self) {
        let idle = self.group.mix.values().all(|weight| *weight == 0);
        self.mistakes.at_if(idle && self.group.script.is_empty(), &self.field("mix"), || {
            Diagnostic::new(Code::ImpossibleCount, "the operation mix has no weight")
                .label("at least one kind of operation needs a weight above 0")
        });
    }

    fn check_script(&mut self, run: Span) {
        let (lists, sessions) = (self.group.script.len(), self.group.sessions as usize);
        self.mistakes.at_if(lists > sessions, &self.field("script"), || {
            Diagnostic::new(
                Code::ImpossibleCount,
                format!("a script for {lists} sessions, of which there are {sessions}"),
            )
            .label("one list for each session")
        });
        for (session, operations) in self.group.script.iter().enumerate() {
            for (index, operation) in operations.iter().enumerate() {
                let path = self.field(&format!("script[{session}][{index}]"));
                self.mistakes.at_if(operation.at >= run && !run.is_zero(), &format!("{path}.at"), || {
                    Diagnostic::new(Code::ImpossibleMoment, format!("an operation at {}, after the run", operation.at))
                        .label(format!("the run ends at {run}"))
                });
                if let Some(reads) = &operation.reads {
                    self.check_reads(&format!("{path}.reads"), reads);
                }
                self.check_parts(&format!("{path}.parts"), operation);
            }
        }
    }

    /// The parts of a transaction, which only a transaction has.
    fn check_parts(&mut self, path: &str, operation: &ScriptedOp) {
        let parts = &operation.parts;
        self.mistakes.at_if(operation.op != OpKind::Txn && !parts.is_empty(), path, || {
            Diagnostic::new(Code::Contradiction, format!("a {:?} with parts", operation.op))
                .label("only a transaction, `op: Txn`, has parts")
        });
        self.mistakes.at_if(parts.iter().any(|(kind, _)| *kind == OpKind::Txn), path, || {
            Diagnostic::new(Code::Contradiction, "a transaction within a transaction").label("transactions do not nest")
        });
        self.mistakes.at_if(parts.len() as u64 > TRANSACTION_MAX, path, || {
            Diagnostic::new(Code::ImpossibleCount, format!("a transaction of {} operations", parts.len()))
                .label(format!("at most {TRANSACTION_MAX}"))
        });
    }

    fn check_supported(&mut self, protocol: &dyn Configured) {
        for (kind, path) in self.asked().into_iter().filter(|(kind, _)| !protocol.supports(*kind)) {
            let supported =
                OpKind::ALL.into_iter().filter(|kind| protocol.supports(*kind)).map(|kind| format!("{kind:?}"));
            let mistake = Diagnostic::new(Code::Unsupported, format!("the protocol has no operation {kind:?}"));
            let mistake = mistake.label(format!("it has {}", listed(supported)));
            // In a mix the operation is the key; in a script it is the value.
            match path.contains(".mix.") {
                true => self.mistakes.at_key(&path, mistake),
                false => self.mistakes.at(&path, mistake),
            }
        }
    }

    /// The kinds of operations that the group asks for, and where it says so first.
    fn asked(&self) -> BTreeMap<OpKind, String> {
        let mut asked = BTreeMap::new();
        if self.group.script.is_empty() {
            let drawn = self.group.mix.iter().filter(|(_, weight)| **weight > 0);
            asked.extend(drawn.map(|(kind, _)| (*kind, self.field(&format!("mix.{kind:?}")))));
        }
        for (session, operations) in self.group.script.iter().enumerate() {
            for (index, operation) in operations.iter().enumerate() {
                let path = || self.field(&format!("script[{session}][{index}].op"));
                asked.entry(operation.op).or_insert_with(path);
                for (part, (kind, _)) in operation.parts.iter().enumerate() {
                    let path = || self.field(&format!("script[{session}][{index}].parts[{part}][0]"));
                    asked.entry(*kind).or_insert_with(path);
                }
            }
        }
        asked
    }
}
