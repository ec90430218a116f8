//! Writes a scenario as a person would: what is left to its default is left out, and what fits on a line stands on one.
//!
//! A value is written in three steps. [`Tree`] is what serde makes of it, with nothing decided yet; what equals its
//! default is taken out of the tree; and the layout prints what is left. Reading the text again gives the same scenario:
//! a default is taken out only where the reader would put the same one back in.

mod layout;
mod plant;
mod tree;

use replisim_world::spec::{ClientGroup, ClockSpec, Cluster, LinkSpec, Swarm};

use super::{ProtocolText, Scenario, Source};
pub(crate) use tree::Tree;

/// Fields of faults that may be left out, each with its default: `serde` knows of them variant by variant.
const FAULT_DEFAULTS: [(&str, &str); 3] = [("unsynced", "Lost"), ("wire", "Arrives"), ("old", "Ignored")];

/// Fields of scripted operations that may be left out.
const SCRIPT_DEFAULTS: [(&str, &str); 4] = [("at", "\"0s\""), ("key", "0"), ("parts", "[]"), ("reads", "None")];

impl Scenario {
    /// The scenario as a file holds it, without what is left to its default and without comments.
    pub fn text(&self) -> String {
        tree(self).print()
    }

    /// Whether a text of it has this name in it: `"n1"`, `"n1, n2"`, `"ANY 1 (n1, n2)"`.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        tree(self).renamed(&|word| (word == name).then(String::new)).1
    }

    /// The same with another name wherever a text has a name in it that `other` has another one for. `None` if no scenario
    /// can have these names.
    pub(crate) fn renamed(&self, other: &dyn Fn(&str) -> Option<String>) -> Option<Scenario> {
        Scenario::parse(&Source::new("", tree(self).renamed(other).0.print())).ok()
    }
}

impl ProtocolText {
    /// The same settings without any mention of `name`: in lists, as a key of maps, as the value of a map's key. `None` if
    /// none of these mentions it.
    pub(crate) fn without(&self, name: &str) -> Option<ProtocolText> {
        let mut tree = Tree::parse(self.as_str());
        tree.forget(&Tree::text(name)).then(|| ProtocolText::new(&tree.flat())).flatten()
    }
}

/// All that has to be written of a scenario.
fn tree(scenario: &Scenario) -> Tree {
    let mut tree = Tree::of(scenario);
    if let Some(cluster) = tree.field_mut("cluster") {
        cluster.leave_out(&Tree::of(&Cluster::default()));
        for clock in cluster.field_mut("clocks").into_iter().flat_map(Tree::elements_mut) {
            clock.leave_out(&Tree::of(&ClockSpec::default()));
        }
        let between = cluster.field_mut("links").and_then(|links| links.field_mut("between"));
        for exception in between.into_iter().flat_map(Tree::elements_mut).flat_map(Tree::elements_mut) {
            exception.leave_out(&Tree::of(&LinkSpec::default()));
        }
    }
    for group in tree.field_mut("clients").into_iter().flat_map(Tree::elements_mut) {
        group.leave_out(&Tree::of(&ClientGroup::default()));
        for session in group.field_mut("script").into_iter().flat_map(Tree::elements_mut) {
            session.elements_mut().iter_mut().for_each(|line| line.leave_out_words(&SCRIPT_DEFAULTS));
        }
    }
    for fault in tree.field_mut("faults").into_iter().flat_map(Tree::elements_mut) {
        fault.elements_mut().iter_mut().for_each(|part| part.leave_out_words(&FAULT_DEFAULTS));
    }
    if let Some(swarm) = tree.field_mut("swarm") {
        swarm.leave_out(&Tree::of(&Swarm::default()));
    }
    for bound in tree.field_mut("measures").into_iter().flat_map(Tree::elements_mut) {
        bound.leave_out_words(&[("during", "None"), ("at_least", "None"), ("at_most", "None")]);
    }
    tree.leave_out_below(&defaults(), &["cluster", "protocol"]);
    tree.called("Scenario")
}

/// A scenario of nothing but defaults.
fn defaults() -> Tree {
    let source = Source::new("", "Scenario(cluster: (), protocol: None)");
    let mut defaults = Tree::of(&Scenario::parse(&source).expect("a scenario needs a cluster and a protocol alone"));
    for group in defaults.field_mut("clients").into_iter().flat_map(Tree::elements_mut) {
        group.leave_out(&Tree::of(&ClientGroup::default()));
    }
    defaults
}
