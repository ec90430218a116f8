//! Lengths of time as people type them.

use replisim_kernel::{ParseSpanError, Span};

/// A length of time on the command line: as in a scenario, and `60m` is an hour, too. A scenario's `m` is refused, for there
/// it stands among milliseconds.
pub fn time(text: &str) -> Result<Span, ParseSpanError> {
    let minutes = text.strip_suffix('m').filter(|number| number.ends_with(|last: char| last.is_ascii_digit()));
    match minutes.map(|number| format!("{number}min").parse()) {
        Some(Ok(time)) => Ok(time),
        Some(Err(ParseSpanError::TooLong(_))) => Err(ParseSpanError::TooLong(text.to_owned())),
        Some(Err(ParseSpanError::Malformed(_))) | None => text.parse(),
    }
}

/// A length of time in which something can be run.
pub fn some_time(text: &str) -> Result<Span, String> {
    match time(text) {
        Ok(Span::ZERO) => Err("in no time nothing can be run".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_minutes_in_one_letter() {
        let minutes = |number: u64| Ok(Span::secs(number * 60));
        for (text, expected) in [
            ("60m", minutes(60)),
            ("60min", minutes(60)),
            ("1h", minutes(60)),
            ("1.5m", Ok(Span::secs(90))),
            ("90s", Ok(Span::secs(90))),
            ("5ms", Ok(Span::millis(5))),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        for text in ["m", "1.m", "-1m", "1 fortnight", "60M", "60mm"] {
            assert_eq!(time(text), Err(ParseSpanError::Malformed(text.to_owned())));
        }
        for text in ["99999999999999999999m", "99999999d"] {
            assert_eq!(time(text), Err(ParseSpanError::TooLong(text.to_owned())));
        }
        assert!("60m".parse::<Span>().is_err(), "a scenario's units stay strict");
    }
}
