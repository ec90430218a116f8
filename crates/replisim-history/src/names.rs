//! The scenario's names in place of ids.

use crate::{NodeId, NodeInfo, Run};

/// What each node of a run is called.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    nodes: &'a [NodeInfo],
}

impl<'a> Names<'a> {
    /// The names of `run`.
    pub fn of(run: &'a Run) -> Self {
        Names { nodes: &run.nodes }
    }

    /// The name of `node`; its id if the run does not know it.
    pub fn node(&self, node: NodeId) -> String {
        self.nodes.get(node.index()).map_or_else(|| node.to_string(), |info| info.name.clone())
    }

    /// `text` with a name wherever an id of the run stands as a word of its own: `node0 leads` → `p leads`.
    pub fn in_text(&self, text: &str) -> String {
        let mut named = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(ID) {
            let (before, candidate) = rest.split_at(start);
            let digits = candidate[ID.len()..].bytes().take_while(u8::is_ascii_digit).count();
            let (id, after) = candidate.split_at(ID.len() + digits);
            let begins_a_word = !named.chars().chain(before.chars()).next_back().is_some_and(is_in_word);
            let ends_a_word = !after.starts_with(is_in_word);
            named.push_str(before);
            match id[ID.len()..].parse().ok().filter(|_| begins_a_word && ends_a_word) {
                Some(id) => named.push_str(&self.node(NodeId(id))),
                None => named.push_str(id),
            }
            rest = after;
        }
        named.push_str(rest);
        named
    }
}

/// How an id begins.
const ID: &str = "node";

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_give_way_to_names_where_they_stand_alone() {
        let node = |name: &str| NodeInfo {
            name: name.to_owned(),
            host: name.to_owned(),
            zone: "us/a".to_owned(),
            region: "us".to_owned(),
            replica: true,
        };
        let nodes = ["p", "s1", "s2"].map(node);
        let names = Names { nodes: &nodes };
        for (text, named) in [
            ("node0", "p"),
            ("node0 → node1, then node2.", "p → s1, then s2."),
            ("read k1 from node2", "read k1 from s2"),
            ("node2~7 was made up", "s2~7 was made up"),
            ("anode1 node1x node01_ node9 node99999999 node", "anode1 node1x node01_ node9 node99999999 node"),
            ("ñode1 nnode0 ‖node0‖", "ñode1 nnode0 ‖p‖"),
        ] {
            assert_eq!(names.in_text(text), named, "{text}");
        }
    }
}
