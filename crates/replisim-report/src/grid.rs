//! Rows of any columns, aligned: what a question to a store is answered with on a terminal.

use crate::Style;
use crate::table::{Align, Cell, Table, shortened};

/// How wide a column may be. A longer text is shortened, and its line breaks are spaces.
const COLUMN_WIDTH: usize = 60;

/// A table under its heads. Columns that hold nothing but numbers keep to the right.
pub fn grid(heads: &[String], rows: &[Vec<String>]) -> String {
    let is_number = |text: &String| text.is_empty() || text.parse::<f64>().is_ok();
    let align = |column: usize| match rows.iter().filter_map(|row| row.get(column)).all(is_number) {
        true => Align::Right,
        false => Align::Left,
    };
    let columns: Vec<Align> = (0..heads.len()).map(align).collect();
    let mut table = Table::new(&columns);
    for row in std::iter::once(heads).chain(rows.iter().map(Vec::as_slice)) {
        table.row(row.iter().map(|text| Cell::from(one_line(text))));
    }
    table.print(0, Style::Plain)
}

fn one_line(text: &str) -> String {
    // Words are cut off before they are put together: a scenario's text may be long.
    let text: String = text.chars().take(COLUMN_WIDTH * 4).map(|c| if c.is_control() { ' ' } else { c }).collect();
    shortened(text.split_whitespace().collect::<Vec<_>>().join(" "), COLUMN_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_texts_left() {
        let rows = [["lost write", "7"], ["split\nbrain", "1,5"], ["x", "12"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        let heads = ["cause", "runs"].map(str::to_owned);
        assert_eq!(grid(&heads, &rows), "cause        runs\nlost write   7\nsplit brain  1,5\nx            12\n");
        let numbers: Vec<Vec<String>> =
            [["a", "7"], ["b", "12"]].iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(grid(&heads, &numbers), "cause  runs\na         7\nb        12\n");
    }

    #[test]
    fn a_long_text_is_shortened() {
        let shown = grid(&["text".to_owned()], &[vec!["x".repeat(1_000)]]);
        assert_eq!(shown.lines().last().map(|line| line.chars().count()), Some(COLUMN_WIDTH));
    }
}
