//! Scenarios: one file says what is run, what goes wrong, and what is expected of it.
//!
//! A file goes through four stages, and each can refuse it with a [`Report`] that points into the text:
//!
//! ```text
//!   file ──▶ Source ──▶ edits of --set ──▶ Scenario ──▶ Experiment
//!            bytes,      the text           fields,      hosts, targets, settings, operations:
//!            UTF-8       itself             types        all that fits together, or all that does not
//! ```
//!
//! Up to the third stage the first mistake ends the reading, as what follows it could mean anything. In the fourth, all
//! mistakes are found and reported at once.
//!
//! Typed values carry no positions. So the text is read twice: by `ron`, into values, and into an outline that knows
//! where the value of each path stands. A mistake is found in the values and shown in the text.

mod code;
mod diagnostic;
mod edit;
mod excerpt;
mod explain;
mod fields;
mod outline;
mod refusal;
mod scan;
mod source;
mod validate;
mod write;

#[cfg(test)]
mod tests;

pub use code::Code;
pub use diagnostic::{Diagnostic, Help, Report};
pub(crate) use edit::KNOBS;
pub use edit::{Edit, ParseEditError};
pub use excerpt::Excerpt;
pub use fields::{Bound, Expected, ProtocolText, Scenario};
pub(crate) use fields::{Put, default_settle};
pub use source::{LineColumn, SOURCE_BYTES_MAX, Source};

pub(crate) use diagnostic::{listed, nearest};
pub(crate) use excerpt::field_names;
pub(crate) use outline::{Field, Outline};
pub(crate) use refusal::refusal;
pub(crate) use validate::{Known, Mistakes, validate};
