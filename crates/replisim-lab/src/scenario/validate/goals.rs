//! The run and what is expected of it: its length, its checks, its measures.

use replisim_history::measure::{Measure, Unit};

use super::{Code, Diagnostic, Known, Mistakes, Scenario, listed};
use crate::scenario::Bound;

/// What is impossible about the run and what is expected of it.
pub(super) fn validate(scenario: &Scenario, known: &Known, mistakes: &mut Mistakes<'_>) {
    mistakes.time("run", "the run", scenario.run);
    mistakes.time("settle", "the quiet phase", scenario.settle);
    mistakes.repeated("checks", "check", &scenario.checks);
    for check in scenario.expect.keys().filter(|check| !scenario.checks_made().contains(check)) {
        let mistake =
            Diagnostic::new(Code::ImpossibleExpectation, format!("a verdict of {check}, which is not checked"));
        let label = format!("checks are {}", listed(&scenario.checks));
        mistakes.at_key(&format!("expect.{check}"), mistake.label(label));
    }
    for (name, bound) in &scenario.measures {
        check_bound(&format!("measures.{name}"), bound, scenario, known, mistakes);
    }
}

fn check_bound(path: &str, bound: &Bound, scenario: &Scenario, known: &Known, mistakes: &mut Mistakes<'_>) {
    let impossible = |message: &str| Diagnostic::new(Code::ImpossibleMeasure, message);
    match (bound.at_least, bound.at_most) {
        (None, None) => mistakes.at(path, impossible("a measure without bounds").label("give `at_least` or `at_most`")),
        (Some(least), Some(most)) if least > most => mistakes.at(
            &format!("{path}.at_least"),
            impossible("the lower bound is above the upper").label(format!("`at_most` is {most}")),
        ),
        _ => {}
    }
    for (field, number) in [("at_least", bound.at_least), ("at_most", bound.at_most)] {
        mistakes.at_if(number.is_some_and(|number| !number.is_finite()), &format!("{path}.{field}"), || {
            impossible("a bound that is not a number").label("leave it out if there is none")
        });
        let beyond = bound.what.unit() == Unit::Share && number.is_some_and(|number| number > 1.0);
        mistakes.at_if(beyond, &format!("{path}.{field}"), || impossible("a share above 1").label("90 % is 0.9"));
    }
    if let Some((from, to)) = bound.during {
        mistakes.at_if(from >= to || from >= scenario.run, &format!("{path}.during"), || {
            impossible("the measure is taken over no time").label(format!("the run ends at {}", scenario.run))
        });
        mistakes.at_if(from < to && from < scenario.run && to > scenario.run, &format!("{path}.during"), || {
            impossible("the measure is taken beyond the run").label(format!("the run ends at {}", scenario.run))
        });
        mistakes.at_if(bound.what.is_of_whole_run(), &format!("{path}.during"), || {
            impossible("no part of a run has this figure").label("it is taken over the whole run: leave this out")
        });
    }
    if let Measure::Lag(node, _) = &bound.what {
        let nodes = if known.processes.is_empty() { &known.hosts } else { &known.processes };
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        if !nodes.contains(&node.as_str()) {
            mistakes.unknown(Code::UnknownPlace, &format!("{path}.what[0]"), "node", node, &nodes);
        }
    }
}
