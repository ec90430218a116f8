//! The knobs of a scenario: settings whose values are drawn anew for each seed.
//!
//! A scenario in another position of its knobs is another text, and to edit and prepare it as `--set` does costs as much as
//! three runs of some thousand events. But nearly all of it is the same in every position. So the text is cut once where the
//! knobs' values stand, and of each position only the fields are read that a knob reaches into: in every position
//! beforehand, where these are few. That costs a twentieth of a run, so every seed can have a position of its own.
//!
//! ```text
//!   cluster: (size: 3)                 cluster: (size: ▯)                cluster: (size: 5)      read by itself
//!   run: "1s"                   ──▶    run: "1s"                  ──▶    run: "1s"
//!   swarm: (knobs: { … })              swarm: (knobs: {})                swarm: (knobs: {})
//! ```
//!
//! What is turned has no knobs any more.

use std::ops::Range;

use indexmap::IndexMap;
use replisim_world::spec::Swarm;

use crate::scenario::{Code, Diagnostic, Edit, Excerpt, Field, KNOBS, Outline, Put, Report, Scenario, Source};
use crate::{Catalog, Experiment};

/// In how many positions a field is read beforehand, at most.
const READ_MAX: usize = 64;

/// A scenario's knobs, ready to be turned.
pub(super) struct Knobs {
    /// The scenario's text with every knob at the first of its values.
    text: String,
    /// Where the knobs' values stand in it, in its order.
    slots: Vec<Slot>,
    /// The scenario's fields that have slots in them.
    parts: Vec<Part>,
}

/// Where the value of a knob stands.
struct Slot {
    /// The knob's number.
    knob: usize,
    at: Range<usize>,
    /// Its values, as they are written there.
    values: Vec<String>,
}

/// A field of the scenario.
struct Part {
    name: String,
    at: Range<usize>,
    /// Which slots are in it.
    slots: Range<usize>,
    /// What it says in each position of its knobs, the last one turning fastest; nothing if there are too many positions,
    /// `None` where it cannot be read.
    read: Vec<Option<Put>>,
}

impl Knobs {
    /// The knobs of an experiment, each of which has been turned to each of its values once, the others left alone.
    ///
    /// # Errors
    /// If one has no values, a value gives nothing that can be run, or a knob is a part of what another one sets.
    pub fn of(base: &Experiment, catalog: &Catalog) -> Result<Self, Report> {
        let none = IndexMap::new();
        let knobs = base.scenario.swarm.as_ref().map_or(&none, |swarm| &swarm.knobs);
        knobs.iter().try_for_each(|(path, values)| try_knob(base, path, values, catalog))?;
        let first = |(path, values): (&String, &Vec<String>)| Edit::new(path, &values[0]);
        let source = Experiment::edit(&base.source, &knobs.iter().map(first).collect::<Vec<_>>(), catalog)?;
        let source = without_knobs(source);
        let outline = Outline::of(&source.text);
        let mut slots = Vec::new();
        for (knob, (path, values)) in knobs.iter().enumerate() {
            // An edit has just put a value there, unless another one has taken it away.
            let node = outline.find(path).ok_or_else(|| within_another(base, path))?;
            let at = node.span.clone();
            let value = |value: &String| written(&source, &at, &Edit::new(path, value), catalog);
            slots.push(Slot { knob, values: values.iter().map(value).collect::<Result<_, _>>()?, at });
        }
        slots.sort_by_key(|slot| slot.at.start);
        if let Some(pair) = slots.windows(2).find(|pair| pair[0].at.end > pair[1].at.start) {
            let inner = knobs.get_index(pair[1].knob).map_or("", |(path, _)| path);
            return Err(within_another(base, inner));
        }
        let parts = parts(&outline, &slots);
        let mut knobs = Knobs { text: source.text, slots, parts };
        let read = knobs.parts.iter().map(|part| knobs.read_beforehand(part)).collect::<Vec<_>>();
        knobs.parts.iter_mut().zip(read).for_each(|(part, read)| part.read = read);
        Ok(knobs)
    }

    /// The scenario with the knobs at these positions; `None` if they do not fit together.
    pub fn turn(&self, base: &Experiment, choices: &[u8], catalog: &Catalog) -> Option<Experiment> {
        let mut choice = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            choice.push(usize::from(*choices.get(slot.knob)?));
        }
        let mut scenario = base.scenario.clone();
        if let Some(swarm) = &mut scenario.swarm {
            swarm.knobs.clear();
        }
        for part in &self.parts {
            let choice = &choice[part.slots.clone()];
            match part.read.is_empty() {
                true => self.read(part, choice)?(&mut scenario),
                false => part.read[self.position(part, choice)].as_ref()?(&mut scenario),
            }
        }
        let text = filled(&self.text, 0..self.text.len(), &self.slots, &choice);
        base.of_read(scenario, Source::new(&base.source.name, text), catalog)
    }

    /// Reads a part in each position of its knobs, if these are few.
    fn read_beforehand(&self, part: &Part) -> Vec<Option<Put>> {
        let sizes: Vec<usize> = self.slots[part.slots.clone()].iter().map(|slot| slot.values.len()).collect();
        let count = sizes.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let Some(count) = count.filter(|count| *count <= READ_MAX) else { return Vec::new() };
        let mut choice = vec![0; sizes.len()];
        let mut read = Vec::with_capacity(count);
        for _ in 0..count {
            read.push(self.read(part, &choice));
            // Counts on, as an odometer does.
            for (digit, size) in choice.iter_mut().zip(&sizes).rev() {
                *digit = (*digit + 1) % size;
                if *digit > 0 {
                    break;
                }
            }
        }
        read
    }

    /// The number of a position among those of a part's knobs.
    fn position(&self, part: &Part, choice: &[usize]) -> usize {
        let slots = self.slots[part.slots.clone()].iter();
        slots.zip(choice).fold(0, |position, (slot, choice)| position * slot.values.len() + choice)
    }

    fn read(&self, part: &Part, choice: &[usize]) -> Option<Put> {
        let text = filled(&self.text, part.at.clone(), &self.slots[part.slots.clone()], choice);
        Scenario::field(&part.name, &Excerpt::field(&Source::new("", text), &Outline::of(""), &part.name)).ok()
    }
}

/// A stretch of a text with a value in each slot.
fn filled(text: &str, stretch: Range<usize>, slots: &[Slot], choice: &[usize]) -> String {
    let (mut filled, mut copied) = (String::with_capacity(stretch.len() * 2), stretch.start);
    for (slot, choice) in slots.iter().zip(choice) {
        filled += &text[copied..slot.at.start];
        filled += &slot.values[*choice];
        copied = slot.at.end;
    }
    filled + &text[copied..stretch.end]
}

/// Turns a knob to each of its positions once.
fn try_knob(base: &Experiment, path: &str, values: &[String], catalog: &Catalog) -> Result<(), Report> {
    if values.is_empty() {
        return Err(refuse(base, format!("the knob `{path}` has no values")));
    }
    if path == "seed" {
        return Err(refuse(base, "the knob `seed` turns nothing: each run has a seed of its own".to_owned()));
    }
    let (count, most) = (values.len(), Swarm::VALUES_MAX);
    if count > most {
        return Err(refuse(
            base,
            format!("the knob `{path}` has {count} values, and no more than {most} are drawn from"),
        ));
    }
    for (place, value) in values.iter().enumerate() {
        let cannot = |why: &str| {
            let message = format!("the knob `{path}` cannot be turned to `{value}`{why}");
            Diagnostic::new(Code::Knob, message).at(value_of(base, path, place))
        };
        let edited = Experiment::edit(&base.source, &[Edit::new(path, value)], catalog);
        let turned = edited.and_then(|edited| Experiment::prepare(&edited, catalog)).map_err(|report| {
            let first = report.diagnostics.into_iter().next();
            let why = first.as_ref().map(|first| format!(": {}", first.message)).unwrap_or_default();
            let (label, help) = first.map(|first| (first.label, first.help)).unwrap_or_default();
            Report::of(base.source.clone(), Diagnostic { label, help, ..cannot(&why) })
        })?;
        // What a campaign counts, it counts by check.
        if turned.scenario.checks_made() != base.scenario.checks_made() {
            return Err(Report::of(base.source.clone(), cannot(": all positions make the same checks")));
        }
    }
    Ok(())
}

/// A scenario whose knobs are all turned.
fn without_knobs(mut source: Source) -> Source {
    let at = Outline::of(&source.text).find(KNOBS).map(|node| node.span.clone());
    if let Some(at) = at {
        source.text.replace_range(at, "{}");
    }
    source
}

/// How an edit writes its value into the place of another one.
fn written(source: &Source, at: &Range<usize>, edit: &Edit, catalog: &Catalog) -> Result<String, Report> {
    let edited = Experiment::edit(source, std::slice::from_ref(edit), catalog)?.text;
    let behind = source.text.len() - at.end;
    Ok(edited[at.start..edited.len() - behind].to_owned())
}

/// The scenario's fields that have slots in them, not read yet.
fn parts(outline: &Outline<'_>, slots: &[Slot]) -> Vec<Part> {
    let part = |field: &Field| {
        let at = field.value.span.clone();
        let from = slots.partition_point(|slot| slot.at.start < at.start);
        let to = slots.partition_point(|slot| slot.at.start < at.end);
        Part { name: outline.key_text(&field.key).to_owned(), at, slots: from..to, read: Vec::new() }
    };
    outline.fields().iter().map(part).filter(|part| !part.slots.is_empty()).collect()
}

fn within_another(base: &Experiment, path: &str) -> Report {
    refuse(base, format!("the knob `{path}` is a part of what another one sets"))
}

/// Where a value of a knob stands.
fn value_of(base: &Experiment, path: &str, place: usize) -> Range<usize> {
    let outline = Outline::of(&base.source.text);
    let knob =
        outline.find(KNOBS).and_then(|knobs| knobs.fields().iter().find(|knob| outline.key_text(&knob.key) == path));
    let value = knob.and_then(|knob| knob.value.children().nth(place));
    value.map_or(0..0, |value| value.span.clone())
}

fn refuse(base: &Experiment, message: String) -> Report {
    let at = Outline::of(&base.source.text).find(KNOBS).map_or(0..0, |node| node.span.clone());
    Report::of(base.source.clone(), Diagnostic::new(Code::Knob, message).at(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Subject;

    fn prepared(source: &Source, catalog: &Catalog) -> Experiment {
        Experiment::prepare(source, catalog).unwrap_or_else(|report| panic!("{}", report.render(false)))
    }

    #[test]
    fn what_is_turned_is_what_the_edited_text_says() {
        let catalog = Catalog::standard();
        for protocol in catalog.entries() {
            let source = protocol.swarm();
            let subject = Subject::prepare(&source, &catalog);
            let subject = subject.unwrap_or_else(|report| panic!("{}", report.render(false)));
            for seed in 0..24 {
                let (choices, variant) = subject.turned(seed);
                assert!(!choices.is_empty(), "some position fits");
                let edited = Experiment::edit(&source, &subject.edits(&choices), &catalog);
                let edited = edited.unwrap_or_else(|report| panic!("{}", report.render(false)));
                let mut wanted = prepared(&edited, &catalog).scenario;
                wanted.swarm.as_mut().expect("there is one").knobs.clear();
                let turned = &variant.experiment;
                assert_eq!(turned.scenario, wanted, "seed {seed}");
                assert_eq!(prepared(&turned.source, &catalog).scenario, wanted, "its text says the same");
                assert_eq!(turned.system(), prepared(&turned.source, &catalog).system());
            }
        }
    }

    #[test]
    fn a_knob_is_no_part_of_another() {
        let catalog = Catalog::standard();
        for inner in [r#""cluster.size": ["3"]"#, r#""cluster.disk.sync": ["1ms"]"#] {
            let knobs = format!(r#"{{ "cluster": ["(size: 2)"], {inner} }}"#);
            let text = format!("Scenario(cluster: (size: 3), protocol: LeaderFollower(), swarm: (knobs: {knobs}))");
            let refused = Knobs::of(&prepared(&Source::new("small.ron", text), &catalog), &catalog).err();
            let told = refused.expect("it is refused").render(false);
            assert!(told.contains("is a part of what another one sets"), "{told}");
        }
    }
}
