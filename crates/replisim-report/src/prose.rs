//! Text in lines: wrapped, reflowed, cut.

use replisim_history::words;

/// `text` in lines of at most `width` characters, each after `indent`.
pub(crate) fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let lines = words::wrapped(text, width.saturating_sub(indent.len()));
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

/// A text in which lines that begin with a space stand for themselves, such as rows and commands: the lines between them are
/// prose, and wrapped anew. Each line comes after `indent`.
pub(crate) fn reflowed(text: &str, indent: &str, width: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let blocks = lines.chunk_by(|one, next| is_prose(one) && is_prose(next));
    let told = |block: &[&str]| match block {
        [row] if !is_prose(row) => format!("{}\n", format!("{indent}{row}").trim_end()),
        prose => wrapped(&prose.join(" "), indent, width),
    };
    blocks.map(told).collect()
}

fn is_prose(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(' ')
}

/// `text`, its end cut off if it is longer than `width`.
pub(crate) fn shortened(text: String, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_among_prose_that_is_wrapped() {
        let (long, row) = ("word ".repeat(30), format!("  {}", "cell ".repeat(25)));
        let told = reflowed(&format!("Needed:\n{}\n\n{long}\n{long}", row.trim_end()), "  ", 100);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[..3], ["  Needed:", &format!("  {}", row.trim_end()), ""]);
        assert_eq!(lines[3..].iter().map(|line| line.len()).collect::<Vec<_>>(), [96, 96, 96, 16], "{told}");
    }

    #[test]
    fn prose_is_wrapped_between_words() {
        assert_eq!(wrapped("one two\n   three", "  ", 9), "  one two\n  three\n");
        assert_eq!(wrapped("  ", "", 9), "");
        assert_eq!(shortened("µseconds".to_owned(), 8), "µseconds");
        assert_eq!(shortened("µseconds".to_owned(), 7), "µsecon…");
    }
}
