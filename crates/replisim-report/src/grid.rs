//! Rows of any columns, aligned: what a question to a store is answered with on a terminal.

use crate::Style;
use crate::prose::shortened;
use crate::table::{Align, Cell, Table};

/// How wide a column may be. A longer text is shortened, and its line breaks are spaces.
const COLUMN_WIDTH: usize = 60;

/// How wide a column stays where the widest are made narrower, so that something of each can be read.
const COLUMN_WIDTH_MIN: usize = 12;

/// What stands between two columns.
const GAP: usize = 2;

/// A table under its heads, at most so many characters wide: its widest columns are made narrower, and if that is not
/// enough, each row is a list of its own. Columns that hold nothing but numbers keep to the right and to their width.
pub fn grid(heads: &[String], rows: &[Vec<String>], width: Option<usize>) -> String {
    let is_number = |text: &String| text.is_empty() || text.parse::<f64>().is_ok();
    let align = |column: usize| match rows.iter().filter_map(|row| row.get(column)).all(is_number) {
        true => Align::Right,
        false => Align::Left,
    };
    let columns: Vec<Align> = (0..heads.len()).map(align).collect();
    let lines = std::iter::once(heads).chain(rows.iter().map(Vec::as_slice));
    let lines: Vec<Vec<String>> = lines.map(|row| row.iter().map(|text| one_line(text)).collect()).collect();
    let Some(widths) = widths(&columns, &lines, width.unwrap_or(usize::MAX)) else {
        return lists(heads, &lines[1..], width.unwrap_or_default());
    };
    let mut table = Table::new(&columns);
    for line in lines {
        table.row(line.into_iter().zip(&widths).map(|(text, width)| Cell::from(shortened(text, *width))));
    }
    table.print(0, Style::Plain)
}

/// How wide each column is: as its widest text, but the widest columns of texts give way until all fit. `None` if they
/// cannot.
fn widths(columns: &[Align], lines: &[Vec<String>], all: usize) -> Option<Vec<usize>> {
    let widest =
        |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|text| text.chars().count()).max();
    let mut widths: Vec<usize> = (0..columns.len()).map(|column| widest(column).unwrap_or(0)).collect();
    let gaps = widths.iter().filter(|width| **width > 0).count().saturating_sub(1) * GAP;
    while widths.iter().sum::<usize>() + gaps > all {
        let texts = widths.iter_mut().zip(columns).filter(|(_, align)| **align == Align::Left);
        *texts.map(|(width, _)| width).max().filter(|widest| **widest > COLUMN_WIDTH_MIN)? -= 1;
    }
    Some(widths)
}

/// Each row as a list of its columns, an empty line between two.
fn lists(heads: &[String], rows: &[Vec<String>], width: usize) -> String {
    let longest = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(longest + GAP).max(COLUMN_WIDTH_MIN);
    let list = |row: &Vec<String>| {
        let mut list = Table::new(&[Align::Left; 2]);
        for (head, text) in heads.iter().zip(row) {
            list.row([head.as_str().into(), shortened(text.clone(), room).into()]);
        }
        list.print(0, Style::Plain)
    };
    rows.iter().map(list).collect::<Vec<_>>().join("\n")
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
        assert_eq!(grid(&heads, &rows, None), "cause        runs\nlost write   7\nsplit brain  1,5\nx            12\n");
        let numbers: Vec<Vec<String>> =
            [["a", "7"], ["b", "12"]].iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(grid(&heads, &numbers, None), "cause  runs\na         7\nb        12\n");
    }

    #[test]
    fn a_long_text_is_shortened() {
        let shown = grid(&["text".to_owned()], &[vec!["x".repeat(1_000)]], None);
        assert_eq!(shown.lines().last().map(|line| line.chars().count()), Some(COLUMN_WIDTH));
    }

    #[test]
    fn the_widest_texts_give_way_until_all_fit() {
        let heads = ["subject", "kind", "runs"].map(str::to_owned);
        let row = ["a text that is rather long", "not so long", "184220"].map(str::to_owned).to_vec();
        let shown = |width| grid(&heads, &[row.clone(), row.clone()], Some(width));
        let last = |width| shown(width).lines().last().map(str::to_owned);
        assert_eq!(last(80).as_deref(), Some("a text that is rather long  not so long  184220"));
        assert_eq!(last(36).as_deref(), Some("a text that is…  not so long  184220"));
        let list = "subject  a text that…\nkind     not so long\nruns     184220\n";
        assert_eq!(shown(21), format!("{list}\n{list}"));
    }
}
