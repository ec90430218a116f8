//! The little language of `synchronous_standby_names`.
//!
//! ```text
//!   ''                     nobody: replication is asynchronous
//!   s1, s2                 as FIRST 1 (s1, s2)
//!   2 (s1, s2, s3)         as FIRST 2 (s1, s2, s3)
//!   FIRST 2 (s1, s2, s3)   the two listed first of those that are connected
//!   ANY 2 (s1, s2, s3)     any two
//!   *                      any name, also within a list
//! ```
//!
//! Key words are read in any case. A name that is not a plain identifier is put in double quotes, and a double quote
//! within it doubled. Source: PostgreSQL 15 documentation, ch. 20, `synchronous_standby_names`, and its
//! grammar `syncrep_gram.y`.

use crate::leader_follower::ack::Choice;

/// What `synchronous_standby_names` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandbyNames {
    /// `FIRST` or `ANY`.
    pub choice: Choice,
    /// How many standbys a commit waits for.
    pub count: u16,
    /// Their names, `*` included.
    pub names: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Word(String),
    Quoted(String),
    Number(u16),
    Star,
    Comma,
    Open,
    Close,
}

impl StandbyNames {
    /// Reads the setting; `None` for an empty one.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let tokens = tokens(text)?;
        match tokens.as_slice() {
            [] => Ok(None),
            [Token::Word(word), Token::Number(count), Token::Open, list @ .., Token::Close] => {
                let choice = match word.to_ascii_uppercase().as_str() {
                    "FIRST" => Choice::First,
                    "ANY" => Choice::Any,
                    _ => return Err(format!("`{word}` is neither FIRST nor ANY")),
                };
                group(choice, *count, list).map(Some)
            }
            [Token::Number(count), Token::Open, list @ .., Token::Close] => {
                group(Choice::First, *count, list).map(Some)
            }
            list => group(Choice::First, 1, list).map(Some),
        }
    }
}

fn group(choice: Choice, count: u16, list: &[Token]) -> Result<StandbyNames, String> {
    if count == 0 {
        return Err("the number of synchronous standbys must be greater than zero".to_owned());
    }
    let names = list.split(|token| *token == Token::Comma).map(name).collect::<Result<_, _>>()?;
    Ok(StandbyNames { choice, count, names })
}

fn name(tokens: &[Token]) -> Result<String, String> {
    match tokens {
        [Token::Word(name) | Token::Quoted(name)] => Ok(name.clone()),
        [Token::Number(number)] => Ok(number.to_string()),
        [Token::Star] => Ok("*".to_owned()),
        [] => Err("a name is missing".to_owned()),
        _ => Err("names are separated by commas, and a group is in brackets: `FIRST 2 (s1, s2, s3)`".to_owned()),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '*' => (Token::Star, 1),
            ',' => (Token::Comma, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => quoted(rest)?,
            _ => plain(rest)?,
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A name in double quotes, and its length in the text.
fn quoted(text: &str) -> Result<(Token, usize), String> {
    let mut name = String::new();
    let mut at = 1;
    loop {
        let end = at + text[at..].find('"').ok_or("a quoted name does not end")?;
        name.push_str(&text[at..end]);
        at = end + 1;
        if !text[at..].starts_with('"') {
            return Ok((Token::Quoted(name), at));
        }
        name.push('"');
        at += 1;
    }
}

/// A number or an identifier, and its length in the text.
fn plain(text: &str) -> Result<(Token, usize), String> {
    let length = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
    let word = &text[..length];
    match word.chars().next() {
        None => Err(format!("`{}` does not belong here", text.chars().take(1).collect::<String>())),
        Some(first) if first.is_ascii_digit() => match word.parse() {
            Ok(number) => Ok((Token::Number(number), length)),
            Err(_) => Err(format!("`{word}` is neither a number nor a name; put it in double quotes")),
        },
        Some(_) => Ok((Token::Word(word.to_owned()), length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_as(text: &str, choice: Choice, count: u16, names: &[&str]) {
        let expected = StandbyNames { choice, count, names: names.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(StandbyNames::parse(text), Ok(Some(expected)), "{text}");
    }

    #[test]
    fn every_form_of_the_documentation_is_read() {
        assert_eq!(StandbyNames::parse("  "), Ok(None));
        reads_as("s1, s2", Choice::First, 1, &["s1", "s2"]);
        reads_as("2 (s1, s2, s3)", Choice::First, 2, &["s1", "s2", "s3"]);
        reads_as("FIRST 1 (s1,s2)", Choice::First, 1, &["s1", "s2"]);
        reads_as("any 2(s1, *)", Choice::Any, 2, &["s1", "*"]);
        reads_as("*", Choice::First, 1, &["*"]);
        reads_as("\"my \"\"own\"\" standby\", 7", Choice::First, 1, &["my \"own\" standby", "7"]);
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for text in ["FIRST 0 (s1)", "FIRST 1 s1", "ANY (s1)", "SOME 1 (s1)", "s1,,s2", "FIRST 1 ()", "\"s1", "s1; s2"]
        {
            assert!(StandbyNames::parse(text).is_err(), "{text}");
        }
    }
}
