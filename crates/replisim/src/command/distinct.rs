//! Which failures are told as one: those that came down to the same story, whatever the system had been through before.
//! `fuzz` says it of what it has just shrunk, `campaign show` of the cases in a store.

use replisim_lab::{Case, Scenario};

/// What the story of a shrunk failure is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gist {
    /// The name of the check.
    pub check: String,
    /// The shape of the anomaly.
    pub kind: String,
    /// The kinds of the faults that it takes, in alphabetical order.
    pub struck: Vec<String>,
    /// How many operations it takes.
    pub operations: u32,
}

impl Gist {
    /// The gist of a case; `None` if it cannot be read, or has not been shrunk, as one that says no anomaly: what is not
    /// needed is still in it then.
    pub fn of_case(check: &str, kind: &str, operations: u32, case: &str) -> Option<Gist> {
        let case = Case::of_text(case).filter(|case| case.anomaly.is_some())?;
        let struck = kinds(&Scenario::parse(&case.source).ok()?);
        Some(Gist { check: check.to_owned(), kind: kind.to_owned(), struck, operations })
    }
}

/// The kinds of a scenario's faults, in alphabetical order.
pub fn kinds(scenario: &Scenario) -> Vec<String> {
    let mut kinds: Vec<String> = scenario.faults.iter().map(|fault| fault.action().kind().name().to_owned()).collect();
    kinds.sort();
    kinds
}

/// The failures, those of one gist `united` into the first of them. What has none stays by itself.
pub fn distinct<F, G: PartialEq>(
    failures: Vec<F>,
    gist: impl Fn(&F) -> Option<G>,
    unite: impl Fn(&mut F, F),
) -> Vec<F> {
    let mut kept: Vec<(Option<G>, F)> = Vec::new();
    for failure in failures {
        let gist = gist(&failure);
        match kept.iter_mut().find(|(other, _)| gist.is_some() && *other == gist) {
            None => kept.push((gist, failure)),
            Some((_, first)) => unite(first, failure),
        }
    }
    kept.into_iter().map(|(_, failure)| failure).collect()
}
