//! Counts and spans as people read them, for whoever writes a sentence about a run.

use replisim_kernel::Span;

/// A count with its thousands grouped: `18,031`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// How many of something, given its singular: `1 key`, `2,004 keys`.
pub fn things(number: u64, singular: &str) -> String {
    format!("{} {singular}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A length of time to three digits, in the largest unit it reaches: `1.42 ms`, `304 ms`, `1,250 s`.
pub fn span(span: Span) -> String {
    const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1)];
    if span == Span::FOREVER {
        return "forever".to_owned();
    }
    let nanos = span.as_nanos();
    let unit = UNITS.iter().position(|(_, size)| nanos >= *size).unwrap_or(0);
    let (name, size) = UNITS[unit];
    let places = if size == 1 { 0 } else { 2_u32.saturating_sub((nanos / size).max(1).ilog10()) };
    let scale = 10_u64.pow(places);
    let rounded = (u128::from(nanos) * u128::from(scale) + u128::from(size / 2)) / u128::from(size);
    if unit > 0 && rounded == 1_000 * u128::from(scale) {
        return format!("1 {}", UNITS[unit - 1].0);
    }
    let (whole, fraction) = (rounded as u64 / scale, rounded as u64 % scale);
    let digits = if places == 0 { whole.to_string() } else { format!("{whole}.{fraction:0w$}", w = places as usize) };
    format!("{} {name}", grouped(trimmed(&digits)))
}

/// A text in lines of at most `width` characters, broken between words, but not between a number and what it counts. Line
/// breaks of the text mean nothing.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut lines: Vec<String> = Vec::new();
    for together in words.chunk_by(|word, next| is_number(word) && !is_number(next)) {
        let together = together.join(" ");
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + together.chars().count() <= width => {
                line.push(' ');
                line.push_str(&together);
            }
            _ => lines.push(together),
        }
    }
    lines
}

/// Whether a word is a number that goes on in the next one: nothing but a bracket or a quote may stand before it.
fn is_number(word: &str) -> bool {
    let number = word.trim_start_matches(['(', '“', '"']);
    number.ends_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
}

/// A text with those characters escaped that a terminal would obey, or XML forbids.
pub fn printable(text: &str) -> String {
    let is_plain = |c: char| matches!(c, '\n' | '\t') || !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let told = |c: char| if is_plain(c) { c.to_string() } else { c.escape_default().to_string() };
    text.chars().map(told).collect()
}

/// Without the zeros that end a fraction.
pub fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

/// With a comma before every third digit of the whole part.
pub fn grouped(digits: &str) -> String {
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut text = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_what_it_counts() {
        assert_eq!(wrapped("one two\n   three", 7), ["one two", "three"]);
        assert_eq!(wrapped(" ", 7), [""; 0]);
        assert_eq!(wrapped("never rounded up to 100 % of runs", 23), ["never rounded up to", "100 % of runs"]);
        assert_eq!(wrapped("it (of 1,803 runs) fails", 13), ["it (of", "1,803 runs)", "fails"]);
        assert_eq!(wrapped("seed 7, then n3 and a 1 2 3", 7), ["seed 7,", "then n3", "and a 1", "2 3"]);
    }

    #[test]
    fn spans_keep_three_digits() {
        for (nanos, text) in [
            (0, "0 s"),
            (7, "7 ns"),
            (1_500, "1.5 µs"),
            (342_499, "342 µs"),
            (1_416_000, "1.42 ms"),
            (9_000_000, "9 ms"),
            (304_400_000, "304 ms"),
            (999_600_000, "1 s"),
            (9_999_000_000, "10 s"),
            (31_040_000_000, "31 s"),
            (1_250_400_000_000, "1,250 s"),
            (u64::MAX, "forever"),
        ] {
            assert_eq!(span(Span::nanos(nanos)), text, "{nanos} ns");
        }
    }
}
