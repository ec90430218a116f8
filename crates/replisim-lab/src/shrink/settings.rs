//! Plainer settings of the protocol: smaller numbers, and fewer things said.
//!
//! Only the protocol knows what its settings mean, so all that is known of them here is their text. A number in it may be
//! a limit that the clients have to reach: a thousand records of log that are kept take a thousand operations to outgrow,
//! and ten take ten. So numbers become smaller before operations are taken away, whether or not that helps; and once
//! there are few operations, whatever may as well be left unsaid is.

use std::ops::Range;

use super::round::smaller;
use super::search::Search;
use crate::Scenario;
use crate::scenario::{Field, Outline, ProtocolText};

/// Units of size, each with the next smaller one, of which it has 1,024.
const SIZES: [(&str, Option<&str>); 5] =
    [("TB", Some("GB")), ("GB", Some("MB")), ("MB", Some("kB")), ("kB", Some("B")), ("B", None)];

/// Makes every count and every size as small as it can be. Times stay: to wait for less is another story.
pub(super) fn smallest(search: &mut Search<'_>) {
    let count = amounts(search.scenario().protocol.as_str()).len();
    for nth in 0..count {
        let scenario = search.scenario();
        let text = scenario.protocol.as_str();
        // A change of one may be a change of length, never of how many there are.
        let Some(amount) = amounts(text).into_iter().nth(nth) else { return };
        let with = |words: String| with_text(scenario, &spliced(text, &amount.range, &words));
        let proposed: Vec<Scenario> = amount.smaller().into_iter().filter_map(with).collect();
        search.first(proposed);
    }
}

/// Leaves out every setting without which the run still fails.
pub(super) fn fewest(search: &mut Search<'_>) {
    let mut nth = 0;
    loop {
        let text = search.scenario().protocol.as_str();
        let Some(range) = fields(text).into_iter().nth(nth) else { return };
        let proposed = with_text(search.scenario(), &spliced(text, &range, ""));
        // Where one was taken out, the next has its number now.
        if !proposed.is_some_and(|proposed| search.accepts(proposed)) {
            nth += 1;
        }
    }
}

/// How long a value may be that is told, in characters.
const TOLD_MAX: usize = 40;

/// Which of the protocol's settings are changed, and how, or no longer set.
pub(super) fn changed(before: &str, after: &str) -> Vec<String> {
    let [before, after] = [before, after].map(Outline::of);
    let value = |outline: &Outline<'_>, field: &Field| {
        outline.text(&field.value.span).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (mut told, mut unsaid) = (Vec::new(), Vec::new());
    for field in before.all_fields().next().unwrap_or_default() {
        let name = before.text(&field.key);
        let now = after.all_fields().next().unwrap_or_default().iter().find(|field| after.text(&field.key) == name);
        let (was, now) = (value(&before, field), now.map(|field| value(&after, field)));
        match now {
            None => unsaid.push(name),
            Some(now) if now == was => {}
            Some(now) if now.chars().count().max(was.chars().count()) > TOLD_MAX => {
                told.push(format!("{name} is plainer"))
            }
            Some(now) => told.push(format!("{name} is {now}, not {was}")),
        }
    }
    if !unsaid.is_empty() {
        told.push(format!("{} no longer set", unsaid.join(", ")));
    }
    told
}

fn with_text(scenario: &Scenario, text: &str) -> Option<Scenario> {
    ProtocolText::new(text).map(|protocol| Scenario { protocol, ..scenario.clone() })
}

fn spliced(text: &str, range: &Range<usize>, words: &str) -> String {
    [&text[..range.start], words, &text[range.end..]].concat()
}

/// Where each field stands, from its name up to the next one or to the bracket that closes them all: a comma behind the
/// last one would have nothing before it.
fn fields(text: &str) -> Vec<Range<usize>> {
    let outline = Outline::of(text);
    let mut ranges = Vec::new();
    for fields in outline.all_fields() {
        for (nth, field) in fields.iter().enumerate() {
            let end = match fields.get(nth + 1) {
                Some(next) => next.key.start,
                None => end_of_last(text, field.value.span.end),
            };
            ranges.push(field.key.start..end);
        }
    }
    ranges
}

/// Where the last of some fields ends, given where its value does.
fn end_of_last(text: &str, value_end: usize) -> usize {
    let behind = text[value_end..].trim_start();
    if behind.starts_with(',') { text.len() - behind.len() + 1 } else { value_end }
}

/// A whole number in a text, and its unit, if it is a size.
struct Amount {
    number: u64,
    unit: &'static str,
    range: Range<usize>,
}

impl Amount {
    /// How less is written, the least first.
    fn smaller(&self) -> Vec<String> {
        let below = SIZES.iter().find(|(unit, _)| *unit == self.unit).and_then(|(_, below)| *below);
        let finer = below.into_iter().flat_map(|unit| smaller(1_000).into_iter().map(move |number| (number, unit)));
        let same = smaller(self.number).into_iter().map(|number| (number, self.unit));
        finer.chain(same).map(|(number, unit)| format!("{number}{unit}")).collect()
    }
}

/// Every count and every size in a text. Times, shares and the numbers of names are neither.
fn amounts(text: &str) -> Vec<Amount> {
    let mut amounts = Vec::new();
    let mut rest = 0;
    while let Some(digit) = text[rest..].find(|c: char| c.is_ascii_digit()) {
        let start = rest + digit;
        let length = |part: &str, counts: fn(char) -> bool| part.find(|c| !counts(c)).unwrap_or(part.len());
        let end = start + length(&text[start..], |c| c.is_ascii_digit());
        let unit_end = end + length(&text[end..], |c| c.is_alphanumeric() || "._%/-".contains(c));
        let begins = !text[..start].ends_with(|c: char| c.is_alphanumeric() || "._-+".contains(c));
        let unit = match &text[end..unit_end] {
            "" => Some(""),
            unit => SIZES.iter().map(|(name, _)| *name).find(|name| *name == unit),
        };
        if let (true, Some(unit), Ok(number)) = (begins, unit, text[start..end].parse()) {
            amounts.push(Amount { number, unit, range: start..unit_end });
        }
        rest = unit_end;
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"PostgreSql(primary: "p1", keep: Records(30), sizes: ["2MB", "7B"], wait: "10s", share: 1.5, at: "-1",
        names: { "s1": "2 of 3" })"#;

    #[test]
    fn counts_and_sizes_become_smaller_and_nothing_else_does() {
        let told: Vec<String> = amounts(TEXT).iter().map(|it| TEXT[it.range.clone()].to_owned()).collect();
        assert_eq!(told, ["30", "2MB", "7B", "2", "3"]);
        let smaller = |nth: usize| amounts(TEXT)[nth].smaller().join(" ");
        assert_eq!(smaller(0), "1 2 3 4 5 6 7 8 9 10 20");
        assert!(smaller(1).starts_with("1kB 2kB") && smaller(1).ends_with("900kB 1MB"), "{}", smaller(1));
        assert_eq!(smaller(2), "1B 2B 3B 4B 5B 6B");
    }

    #[test]
    fn what_was_made_plainer_is_told() {
        let after = r#"PostgreSql(primary: "p1", keep: Records(1), sizes: [], wait: "10s", share: 1.5, names: { "s1": "2 of 3" })"#;
        assert_eq!(
            changed(TEXT, after),
            ["keep is Records(1), not Records(30)", r#"sizes is [], not ["2MB", "7B"]"#, "at no longer set"]
        );
        assert_eq!((changed(TEXT, TEXT).len(), changed("MySql", "MySql()").len()), (0, 0));
        assert_eq!(changed(&format!("A(b: \"{}\")", "long ".repeat(9)), "A(b: \"\")"), ["b is plainer"]);
    }

    #[test]
    fn without_a_field_the_text_is_still_one() {
        let told: Vec<String> =
            fields(TEXT).iter().map(|range| TEXT[range.start..].chars().take(4).collect()).collect();
        assert_eq!(told, ["prim", "keep", "size", "wait", "shar", "at: ", "name", "\"s1\""]);
        // As it is written on several lines.
        let commas = TEXT.replace("30)", "30,)").replace(" })", " ,\n },\n)");
        for text in [TEXT, &commas] {
            for range in fields(text) {
                let left = spliced(text, &range, "");
                let (before, after) = (fields(text).len(), fields(&left).len());
                assert!(after < before && ProtocolText::new(&left).is_some(), "{left}");
            }
        }
    }
}
