//! Commands as they are printed: whoever copies one into a shell runs what is meant.

/// A word as a shell takes it: in quotes if it holds anything that a shell would read. A file whose name begins like an
/// option is one in this folder.
pub fn quoted(word: &str) -> String {
    if word.starts_with('-') {
        return quoted(&format!("./{word}"));
    }
    let plain = |c: char| c.is_alphanumeric() || "/._-=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for (word, shown) in [
            ("cases/243b.ron", "cases/243b.ron"),
            ("b/c d.ron", "'b/c d.ron'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("-a b", "'./-a b'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
