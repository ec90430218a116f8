//! The scenario that `replisim new` writes: one that runs, with every part of a scenario explained in comments.

/// Its text.
pub const TEMPLATE: &str = include_str!("new.ron");
