//! A scenario stands within a case a step further in, and is taken out again as it was.

/// By how much what stands in a bracket is further in.
const STEP: &str = "    ";

/// A value as it stands within a case: every line but the first a step further in, unless there is nothing on it.
pub(super) fn moved_in(text: &str) -> String {
    let line = |(number, line): (usize, &str)| {
        if number == 0 || line.trim_end_matches('\n').is_empty() { line.to_owned() } else { format!("{STEP}{line}") }
    };
    text.split_inclusive('\n').enumerate().map(line).collect()
}

/// The value again.
pub(super) fn moved_out(text: &str) -> String {
    if is_moved_in(text) { text.replace(&format!("\n{STEP}"), "\n") } else { text.to_owned() }
}

/// Of cases that were written before values were moved in, the last line shows that they were not.
fn is_moved_in(text: &str) -> bool {
    text.lines().next_back().is_some_and(|last| last.starts_with(STEP))
}

/// Where the byte at `offset` of what [`moved_out`] gives stands in `text`.
pub(super) fn before_moved_out(text: &str, offset: usize) -> usize {
    let step = if is_moved_in(text) { STEP.len() } else { 0 };
    let (mut before, mut after) = (0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let taken = if number > 0 && line.starts_with(STEP) { step } else { 0 };
        if offset < after + line.len() - taken {
            return before + taken + offset - after;
        }
        (before, after) = (before + line.len(), after + line.len() - taken);
    }
    before
}
