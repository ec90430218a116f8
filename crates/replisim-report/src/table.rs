//! Columns under each other, aligned by hand: a report's tables have no borders.

use std::fmt::Write;

use crate::Style;
use crate::section::WIDTH;

/// Which edge of its column a cell keeps to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One field of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    broken: bool,
}

/// Rows of cells, with two spaces between columns, and whole lines between rows where they belong to the row above.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Align>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    Cells(Vec<Cell>),
    Whole(String),
}

impl Cell {
    /// Something in the accent colour.
    pub(crate) fn broken(text: impl Into<String>) -> Self {
        Cell { text: text.into(), broken: true }
    }

    /// In the accent colour if `broken`.
    pub(crate) fn broken_if(broken: bool, text: impl Into<String>) -> Self {
        Cell { text: text.into(), broken }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell { text: text.into(), broken: false }
    }
}

impl Table {
    pub(crate) fn new(columns: &[Align]) -> Self {
        Table { columns: columns.to_vec(), lines: Vec::new() }
    }

    /// A row; columns that it has no cells for stay empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.lines.push(Line::Cells(cells.into_iter().collect()));
    }

    /// Lines that belong to the row above and keep to no column.
    pub(crate) fn under(&mut self, text: String) {
        self.lines.push(Line::Whole(text));
    }

    /// How many lines there are, those under rows included; such a line may be several.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Every row as a line, `indent` spaces from the left, with no space at its end.
    pub(crate) fn print(&self, indent: usize, style: Style) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Cells(cells) => out.push_str(&self.print_row(cells, &widths, indent, style)),
                Line::Whole(text) => out.push_str(text),
            }
        }
        out
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for line in &self.lines {
            let Line::Cells(cells) = line else { continue };
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.width().max(*width);
            }
        }
        widths
    }

    fn print_row(&self, cells: &[Cell], widths: &[usize], indent: usize, style: Style) -> String {
        let mut row = " ".repeat(indent);
        let mut gap = "";
        for ((cell, &width), align) in cells.iter().zip(widths).zip(&self.columns) {
            if width == 0 {
                continue;
            }
            let text = if cell.broken { style.broken(&cell.text) } else { cell.text.as_str().into() };
            let padding = " ".repeat(width - cell.width());
            let _ = match align {
                Align::Left => write!(row, "{gap}{text}{padding}"),
                Align::Right => write!(row, "{gap}{padding}{text}"),
            };
            gap = "  ";
        }
        row.truncate(row.trim_end().len());
        row.push('\n');
        row
    }
}

/// `text` in lines of at most `width` characters, each after `indent`. Line breaks of `text` mean nothing.
pub(crate) fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent.len() + line.chars().count() + 1 + word.chars().count() > width {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{indent}{line}");
    }
    out
}

/// A text in which lines that begin with a space stand for themselves, such as rows and commands: the lines between them are
/// prose, and wrapped anew. Each line comes after `indent`.
pub fn reflowed(text: &str, indent: &str) -> String {
    reflowed_within(text, indent, WIDTH)
}

/// The same in lines of `width`, where they are prose.
pub(crate) fn reflowed_within(text: &str, indent: &str, width: usize) -> String {
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
    fn columns_stand_under_each_other() {
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Left, Align::Left]);
        table.row(["write".into(), "1.4 ms".into(), "".into(), "ok".into()]);
        table.under("    a remark of any length that moves no column\n".to_owned());
        table.row(["µ".into(), "304 ms".into()]);
        assert_eq!(
            table.print(2, Style::Plain),
            "  write  1.4 ms  ok\n    a remark of any length that moves no column\n  µ      304 ms\n"
        );
    }

    #[test]
    fn colour_takes_no_room() {
        let mut table = Table::new(&[Align::Right, Align::Left]);
        table.row([Cell::broken("bad"), "x".into()]);
        table.row(["better".into(), "y".into()]);
        assert_eq!(table.print(0, Style::Colour), "   \u{1b}[31mbad\u{1b}[0m  x\nbetter  y\n");
    }

    #[test]
    fn rows_stand_among_prose_that_is_wrapped() {
        let (long, row) = ("word ".repeat(30), format!("  {}", "cell ".repeat(25)));
        let told = reflowed(&format!("Needed:\n{}\n\n{long}\n{long}", row.trim_end()), "  ");
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
