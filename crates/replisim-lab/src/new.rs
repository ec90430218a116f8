//! The scenario that `replisim new` writes: one that runs, with every part of a scenario explained in comments.

use crate::Catalog;
use crate::catalog::Entry;

/// Its text, for whoever has PostgreSQL in the catalog.
pub const TEMPLATE: &str = include_str!("new.ron");

/// What in the template is PostgreSQL's, from where to where, each with what stands there for any other protocol.
const POSTGRESQL: [(&str, &str, &str); 3] = [
    (
        "    // The protocol,",
        "\n    ),\n",
        "    // The protocol, with its settings in the brackets.\n    protocol: {NAME}(),\n",
    ),
    ("    expect: {", "\n", "    // expect: { NoLostWrites: Holds },\n"),
    (
        "    measures: {",
        "\n    },\n",
        "    // measures: { \"commits stay fast\": (what: WriteLatency(0.99), during: (\"0s\", \"2s\"), at_most: 20) },\n",
    ),
];

/// The text for a program of this name and this catalog: with the first of its protocols, where it has no PostgreSQL.
/// Nothing is expected of that one but what it promises.
pub fn template(catalog: &Catalog, program: &str) -> String {
    let text = match catalog.entries().next().map(Entry::name) {
        Some(name) if catalog.get("PostgreSql").is_none() => of_another(name),
        Some(_) | None => TEMPLATE.to_owned(),
    };
    text.replace("//   replisim ", &format!("//   {program} "))
}

fn of_another(name: &str) -> String {
    POSTGRESQL.iter().fold(TEMPLATE.to_owned(), |text, (from, to, instead)| {
        let (before, rest) = text.split_once(from).expect("the template has each of these parts");
        let (_, after) = rest.split_once(to).expect("each of these parts ends");
        format!("{before}{}{after}", instead.replace("{NAME}", name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Experiment;
    use crate::scenario::Source;
    use replisim_protocols::LeaderFollower;

    #[test]
    fn what_is_written_can_be_run_with_the_catalog_at_hand() {
        for (catalog, name) in
            [(Catalog::standard(), "PostgreSql"), (Catalog::new().with::<LeaderFollower>(), "LeaderFollower")]
        {
            let text = template(&catalog, "replisim");
            assert_eq!(text.matches("PostgreSql").count(), usize::from(name == "PostgreSql"), "{text}");
            let experiment = Experiment::prepare(&Source::new("new.ron", text.clone()), &catalog);
            let experiment = experiment.unwrap_or_else(|report| panic!("{}", report.render(false)));
            assert_eq!(experiment.scenario.protocol.name(), name);
            assert!(experiment.run(1, None, false).judgement.is_fine(), "{text}");
        }
    }
}
