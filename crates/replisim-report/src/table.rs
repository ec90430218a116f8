//! Columns under each other, aligned by hand: a report's tables have no borders.

use std::fmt::Write;

use crate::Style;

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
}
