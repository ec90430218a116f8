//! How a tree is laid out: on one line where it fits, else each of its parts on a line of its own.

use super::Tree;

/// How wide a line may be.
const WIDTH: usize = 120;
/// How much further in each level stands.
const STEP: usize = 4;

impl Tree {
    /// The tree on as few lines as are readable.
    pub fn print(&self) -> String {
        let mut text = String::new();
        self.lay_out(&mut text, 0, 0);
        text
    }

    /// The tree on one line.
    pub fn flat(&self) -> String {
        let (open, close) = self.brackets();
        let padding = if open == "{" && !self.parts().is_empty() { " " } else { "" };
        let parts: Vec<String> = self.parts().iter().map(|(key, part)| format!("{key}{}", part.flat())).collect();
        format!("{}{open}{padding}{}{padding}{close}", self.head(), parts.join(", "))
    }

    /// What is left of so much room on a line behind the flat tree; `None` if it does not fit. Looks no further than that.
    fn room_behind(&self, room: usize) -> Option<usize> {
        let (open, close) = self.brackets();
        let padding = if open == "{" && !self.is_leaf() { 2 } else { 0 };
        let mut room = room.checked_sub(self.head().chars().count() + open.len() + close.len() + padding)?;
        for (place, (key, part)) in self.parts().into_iter().enumerate() {
            let comma = if place == 0 { 0 } else { 2 };
            room = part.room_behind(room.checked_sub(comma + key.chars().count())?)?;
        }
        Some(room)
    }

    fn is_leaf(&self) -> bool {
        self.parts().is_empty()
    }

    /// Prints it behind what stands in `text`, its parts a step further in than `indent`, where `after` more characters will
    /// follow.
    fn lay_out(&self, text: &mut String, indent: usize, after: usize) {
        let column = text.len() - text.rfind('\n').map_or(0, |newline| newline + 1);
        let is_root = text.is_empty();
        let room = WIDTH.saturating_sub(column + after);
        if self.is_leaf() || (!is_root && self.room_behind(room).is_some()) {
            return text.push_str(&self.flat());
        }
        let (open, close) = self.brackets();
        text.push_str(self.head());
        text.push_str(open);
        for (key, part) in self.parts() {
            text.push('\n');
            text.push_str(&" ".repeat(indent + STEP));
            text.push_str(&key);
            part.lay_out(text, indent + STEP, 1);
            text.push(',');
        }
        text.push('\n');
        text.push_str(&" ".repeat(indent));
        text.push_str(close);
    }
}
